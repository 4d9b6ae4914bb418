-- What the published balance lacks is asked for over all items at once: there are few such rows, so they have an index of
-- their own. Open orders are asked for by the day promised, and purchase orders by their state.
create index atp_bucket_lacking on biz.atp_bucket (day) where balance < 0;
create index sales_order_status_promised on biz.sales_order (status, promised_date);
create index purchase_order_status on biz.purchase_order (status);
