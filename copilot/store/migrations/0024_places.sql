-- Which values there are is looked up place by place: an index by the value alone led through every row that the asker's
-- scope does not show.
drop index biz.item_category_idx;
drop index biz.shipment_carrier_idx;
create index on biz.item (label_region, label_site, category);
create index on biz.shipment (label_region, label_site, carrier);
