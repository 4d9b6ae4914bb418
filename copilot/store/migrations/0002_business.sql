-- The business records. Each sensitivity class is a table of its own; copilot/semantic/model says what the fields mean.
-- Quantities, amounts, ratios and days are scaled by one million; a currency or unit stands beside them.

create table biz.customer (
    like ddl.record including all,
    number text,
    name text not null,
    kind text,
    tier text,
    status text,
    tax_number text
);
call ddl.guard('customer', 'customer');

create table biz.item (
    like ddl.record including all,
    number text,
    name text not null,
    category text,
    base_unit text not null,
    gtin text,
    status text,
    lot_tracked boolean
);
call ddl.guard('item', 'item');

create table biz.customer_item (
    like ddl.record including all,
    customer_id bigint not null,
    item_id bigint not null,
    part_number text
);
create index on biz.customer_item (customer_id);
create index on biz.customer_item (item_id);
call ddl.guard('customer_item', 'customer');

create table biz.customer_contact (
    like ddl.record including all,
    customer_id bigint not null,
    name text,
    role text,
    email text,
    phone text
);
create index on biz.customer_contact (customer_id);
call ddl.guard('customer_contact', 'contact');

create table biz.customer_address (
    like ddl.record including all,
    customer_id bigint not null,
    kind text,
    name text,
    street text,
    postal_code text,
    city text,
    country text
);
create index on biz.customer_address (customer_id);
call ddl.guard('customer_address', 'address');

create table biz.customer_credit (
    like ddl.record including all,
    customer_id bigint not null,
    credit_limit bigint,
    exposure bigint,
    currency text,
    blocked boolean,
    payment_terms text
);
create index on biz.customer_credit (customer_id);
call ddl.guard('customer_credit', 'credit');

create table biz.price_list (
    like ddl.record including all,
    name text,
    currency text
);
call ddl.guard('price_list', 'price_list');

create table biz.price_rule (
    like ddl.record including all,
    price_list_id bigint not null,
    item_id bigint,
    category text,
    kind text,
    price bigint,
    currency text,
    discount bigint,
    minimum_quantity bigint,
    unit text,
    starts date,
    ends date,
    label text
);
create index on biz.price_rule (price_list_id);
create index on biz.price_rule (item_id);
call ddl.guard('price_rule', 'price_list');

create table biz.customer_price_list (
    like ddl.record including all,
    customer_id bigint not null,
    price_list_id bigint not null
);
create index on biz.customer_price_list (customer_id);
create index on biz.customer_price_list (price_list_id);
call ddl.guard('customer_price_list', 'price_list');

create table biz.customer_contract (
    like ddl.record including all,
    number text,
    customer_id bigint not null,
    item_id bigint,
    committed_quantity bigint,
    unit text,
    price bigint,
    currency text,
    starts date,
    ends date
);
create index on biz.customer_contract (customer_id);
create index on biz.customer_contract (item_id);
call ddl.guard('customer_contract', 'contract');

create table biz.region (
    like ddl.record including all,
    code text,
    name text,
    currency text,
    fiscal_year_start integer
);
call ddl.guard('region', 'reference');

create table biz.site (
    like ddl.record including all,
    code text,
    name text,
    region_id bigint,
    kind text,
    time_zone text,
    working_days text,
    city text,
    country text
);
create index on biz.site (region_id);
call ddl.guard('site', 'reference');

create table biz.sales_order (
    like ddl.record including all,
    number text,
    customer_id bigint not null,
    customer_po text,
    site_id bigint not null,
    status text,
    order_date date,
    requested_date date,
    promised_date date,
    shipped_date date,
    ship_complete boolean
);
create index on biz.sales_order (customer_id);
create index on biz.sales_order (site_id);
call ddl.guard('sales_order', 'sales');

create table biz.invoice (
    like ddl.record including all,
    number text,
    customer_id bigint not null,
    order_id bigint,
    kind text,
    status text,
    invoice_date date,
    due_date date,
    paid_date date
);
create index on biz.invoice (customer_id);
create index on biz.invoice (order_id);
call ddl.guard('invoice', 'invoice');

create table biz.invoice_amount (
    like ddl.record including all,
    invoice_id bigint not null,
    net bigint,
    total bigint,
    open bigint,
    currency text
);
create index on biz.invoice_amount (invoice_id);
call ddl.guard('invoice_amount', 'invoice_amount');

create table biz.payment (
    like ddl.record including all,
    invoice_id bigint not null,
    paid_date date,
    amount bigint,
    currency text,
    reference text
);
create index on biz.payment (invoice_id);
call ddl.guard('payment', 'invoice_amount');

create table biz.item_unit (
    like ddl.record including all,
    item_id bigint not null,
    unit text not null,
    base_quantity bigint,
    base_unit text
);
create index on biz.item_unit (item_id);
call ddl.guard('item_unit', 'item');

create table biz.item_alias (
    like ddl.record including all,
    item_id bigint not null,
    kind text,
    value text
);
create index on biz.item_alias (item_id);
call ddl.guard('item_alias', 'item');

create table biz.item_substitute (
    like ddl.record including all,
    item_id bigint not null,
    substitute_id bigint not null,
    approved boolean,
    rank integer
);
create index on biz.item_substitute (item_id);
create index on biz.item_substitute (substitute_id);
call ddl.guard('item_substitute', 'item');

create table biz.item_price (
    like ddl.record including all,
    item_id bigint not null,
    price bigint,
    currency text,
    unit text
);
create index on biz.item_price (item_id);
call ddl.guard('item_price', 'price_list');

create table biz.item_cost (
    like ddl.record including all,
    item_id bigint not null,
    cost bigint,
    currency text,
    unit text,
    method text
);
create index on biz.item_cost (item_id);
call ddl.guard('item_cost', 'item_cost');

create table biz.channel (
    like ddl.record including all,
    code text,
    name text
);
call ddl.guard('channel', 'reference');

create table biz.site_closure (
    like ddl.record including all,
    site_id bigint not null,
    day date not null,
    reason text
);
create index on biz.site_closure (site_id);
call ddl.guard('site_closure', 'reference');

create table biz.currency_rate (
    like ddl.record including all,
    currency text not null,
    base_currency text not null,
    rate bigint,
    rate_date date not null
);
call ddl.guard('currency_rate', 'reference');

create table biz.supplier (
    like ddl.record including all,
    number text,
    name text not null,
    status text,
    country text,
    tax_number text
);
call ddl.guard('supplier', 'supplier');

create table biz.supplier_contact (
    like ddl.record including all,
    supplier_id bigint not null,
    name text,
    role text,
    email text,
    phone text
);
create index on biz.supplier_contact (supplier_id);
call ddl.guard('supplier_contact', 'supplier_contact');

create table biz.supplier_terms (
    like ddl.record including all,
    supplier_id bigint not null,
    payment_terms text,
    incoterm text,
    minimum_order bigint,
    currency text
);
create index on biz.supplier_terms (supplier_id);
call ddl.guard('supplier_terms', 'supplier_terms');

create table biz.supplier_item (
    like ddl.record including all,
    supplier_id bigint not null,
    item_id bigint not null,
    part_number text,
    lead_time bigint,
    minimum_quantity bigint,
    unit text,
    preferred boolean
);
create index on biz.supplier_item (supplier_id);
create index on biz.supplier_item (item_id);
call ddl.guard('supplier_item', 'supplier');

create table biz.supplier_item_price (
    like ddl.record including all,
    supplier_item_id bigint not null,
    price bigint,
    currency text,
    unit text
);
create index on biz.supplier_item_price (supplier_item_id);
call ddl.guard('supplier_item_price', 'purchase_price');

create table biz.supplier_rate (
    like ddl.record including all,
    supplier_id bigint not null,
    period_start date,
    period_end date,
    receipts integer,
    on_time integer,
    on_time_rate bigint,
    lead_time_mean bigint,
    open_orders integer
);
create index on biz.supplier_rate (supplier_id);
call ddl.guard('supplier_rate', 'supplier_rate');

create table biz.purchase_order (
    like ddl.record including all,
    number text,
    supplier_id bigint not null,
    site_id bigint not null,
    supplier_reference text,
    status text,
    order_date date,
    promised_date date,
    received_date date
);
create index on biz.purchase_order (supplier_id);
create index on biz.purchase_order (site_id);
call ddl.guard('purchase_order', 'purchasing');

create table biz.purchase_line (
    like ddl.record including all,
    purchase_order_id bigint not null,
    line_number integer,
    item_id bigint not null,
    ordered_quantity bigint,
    received_quantity bigint,
    open_quantity bigint,
    unit text,
    status text,
    promised_date date,
    received_date date
);
create index on biz.purchase_line (purchase_order_id);
create index on biz.purchase_line (item_id);
call ddl.guard('purchase_line', 'purchasing');

create table biz.purchase_order_amount (
    like ddl.record including all,
    purchase_order_id bigint not null,
    net bigint,
    total bigint,
    currency text
);
create index on biz.purchase_order_amount (purchase_order_id);
call ddl.guard('purchase_order_amount', 'purchase_price');

create table biz.purchase_line_price (
    like ddl.record including all,
    purchase_line_id bigint not null,
    unit_price bigint,
    net bigint,
    currency text
);
create index on biz.purchase_line_price (purchase_line_id);
call ddl.guard('purchase_line_price', 'purchase_price');

create table biz.receipt (
    like ddl.record including all,
    number text,
    purchase_order_id bigint not null,
    status text,
    expected_date date,
    received_at timestamptz
);
create index on biz.receipt (purchase_order_id);
call ddl.guard('receipt', 'purchasing');

create table biz.receipt_line (
    like ddl.record including all,
    receipt_id bigint not null,
    purchase_line_id bigint,
    item_id bigint not null,
    quantity bigint,
    rejected_quantity bigint,
    unit text,
    lot text
);
create index on biz.receipt_line (receipt_id);
create index on biz.receipt_line (purchase_line_id);
create index on biz.receipt_line (item_id);
call ddl.guard('receipt_line', 'purchasing');

create table biz.sales_order_line (
    like ddl.record including all,
    order_id bigint not null,
    line_number integer,
    item_id bigint not null,
    site_id bigint,
    ordered_quantity bigint,
    shipped_quantity bigint,
    reserved_quantity bigint,
    open_quantity bigint,
    unit text,
    status text,
    requested_date date,
    promised_date date,
    shipped_date date
);
create index on biz.sales_order_line (order_id);
create index on biz.sales_order_line (item_id);
create index on biz.sales_order_line (site_id);
call ddl.guard('sales_order_line', 'sales');

create table biz.sales_order_amount (
    like ddl.record including all,
    order_id bigint not null,
    net bigint,
    tax bigint,
    total bigint,
    currency text
);
create index on biz.sales_order_amount (order_id);
call ddl.guard('sales_order_amount', 'sales_price');

create table biz.sales_line_price (
    like ddl.record including all,
    line_id bigint not null,
    unit_price bigint,
    discount bigint,
    net bigint,
    currency text
);
create index on biz.sales_line_price (line_id);
call ddl.guard('sales_line_price', 'sales_price');

create table biz.order_hold (
    like ddl.record including all,
    order_id bigint not null,
    reason text,
    placed_at timestamptz,
    released_at timestamptz
);
create index on biz.order_hold (order_id);
call ddl.guard('order_hold', 'sales');

create table biz.reservation (
    like ddl.record including all,
    order_id bigint not null,
    line_id bigint,
    item_id bigint not null,
    site_id bigint,
    lot text,
    quantity bigint,
    unit text
);
create index on biz.reservation (order_id);
create index on biz.reservation (line_id);
create index on biz.reservation (item_id);
create index on biz.reservation (site_id);
call ddl.guard('reservation', 'sales');

create table biz.return_order (
    like ddl.record including all,
    number text,
    order_id bigint not null,
    site_id bigint,
    status text,
    reason text,
    requested_date date,
    received_at timestamptz
);
create index on biz.return_order (order_id);
create index on biz.return_order (site_id);
call ddl.guard('return_order', 'returns');

create table biz.return_line (
    like ddl.record including all,
    return_order_id bigint not null,
    line_id bigint,
    item_id bigint not null,
    quantity bigint,
    unit text
);
create index on biz.return_line (return_order_id);
create index on biz.return_line (line_id);
create index on biz.return_line (item_id);
call ddl.guard('return_line', 'returns');

create table biz.service_case (
    like ddl.record including all,
    number text,
    customer_id bigint not null,
    order_id bigint,
    status text,
    priority text,
    opened_at timestamptz,
    closed_at timestamptz
);
create index on biz.service_case (customer_id);
create index on biz.service_case (order_id);
call ddl.guard('service_case', 'case');

create table biz.customer_note (
    like ddl.record including all,
    customer_id bigint not null,
    order_id bigint,
    service_case_id bigint,
    written_at timestamptz,
    author text,
    body text
);
create index on biz.customer_note (customer_id);
create index on biz.customer_note (order_id);
create index on biz.customer_note (service_case_id);
call ddl.guard('customer_note', 'free_text');

create table biz.purchase_note (
    like ddl.record including all,
    purchase_order_id bigint not null,
    written_at timestamptz,
    author text,
    body text
);
create index on biz.purchase_note (purchase_order_id);
call ddl.guard('purchase_note', 'free_text');

create table biz.shipment (
    like ddl.record including all,
    number text,
    order_id bigint not null,
    site_id bigint,
    status text,
    carrier text,
    tracking_number text,
    planned_date date,
    shipped_at timestamptz,
    expected_delivery date,
    delivered_at timestamptz,
    proof_of_delivery text
);
create index on biz.shipment (order_id);
create index on biz.shipment (site_id);
call ddl.guard('shipment', 'shipping');

create table biz.shipment_line (
    like ddl.record including all,
    shipment_id bigint not null,
    line_id bigint,
    item_id bigint not null,
    quantity bigint,
    unit text,
    lot text
);
create index on biz.shipment_line (shipment_id);
create index on biz.shipment_line (line_id);
create index on biz.shipment_line (item_id);
call ddl.guard('shipment_line', 'shipping');

create table biz.tracking_event (
    like ddl.record including all,
    shipment_id bigint not null,
    happened_at timestamptz,
    event text,
    place text
);
create index on biz.tracking_event (shipment_id);
call ddl.guard('tracking_event', 'shipping');

create table biz.shipment_recipient (
    like ddl.record including all,
    shipment_id bigint not null,
    signed_by text,
    street text,
    postal_code text,
    city text,
    country text
);
create index on biz.shipment_recipient (shipment_id);
call ddl.guard('shipment_recipient', 'address');

create table biz.stock (
    like ddl.record including all,
    item_id bigint not null,
    site_id bigint not null,
    lot text,
    on_hand bigint,
    reserved bigint,
    available bigint,
    in_transit bigint,
    unit text,
    expires date
);
create index on biz.stock (item_id);
create index on biz.stock (site_id);
call ddl.guard('stock', 'stock');

create table biz.stock_move (
    like ddl.record including all,
    item_id bigint not null,
    site_id bigint not null,
    lot text,
    quantity bigint,
    unit text,
    kind text,
    moved_at timestamptz,
    document text
);
create index on biz.stock_move (item_id);
create index on biz.stock_move (site_id);
call ddl.guard('stock_move', 'stock');

create table biz.stock_snapshot (
    like ddl.record including all,
    item_id bigint not null,
    site_id bigint not null,
    day date not null,
    on_hand bigint,
    available bigint,
    unit text
);
create index on biz.stock_snapshot (item_id);
create index on biz.stock_snapshot (site_id);
call ddl.guard('stock_snapshot', 'stock');

create table biz.transfer (
    like ddl.record including all,
    number text,
    from_site_id bigint,
    to_site_id bigint not null,
    status text,
    shipped_at timestamptz,
    expected_date date,
    received_at timestamptz
);
create index on biz.transfer (from_site_id);
create index on biz.transfer (to_site_id);
call ddl.guard('transfer', 'stock');

create table biz.transfer_line (
    like ddl.record including all,
    transfer_id bigint not null,
    item_id bigint not null,
    quantity bigint,
    received_quantity bigint,
    unit text,
    lot text
);
create index on biz.transfer_line (transfer_id);
create index on biz.transfer_line (item_id);
call ddl.guard('transfer_line', 'stock');
