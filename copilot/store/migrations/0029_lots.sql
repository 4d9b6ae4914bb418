-- A lot is asked about by its number alone, with or without the item.
create index stock_lot on biz.stock (lot);
create index receipt_line_lot on biz.receipt_line (lot);
