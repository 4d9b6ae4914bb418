-- Which sources keep stock at a site is asked with each question about stock: one probe per site and source.
create index stock_site_source on biz.stock (site_id, source_id);
drop index biz.stock_site_id_idx;
