-- What people tell records apart by besides names and codes: questions look up which values there are.
create index on biz.item (category);
create index on biz.shipment (carrier);
create index on biz.supplier_terms (incoterm);
create index on biz.supplier_terms (payment_terms);
