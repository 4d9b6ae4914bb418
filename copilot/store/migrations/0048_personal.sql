-- What is personal, known to be masked wherever text leaves; and the pseudonyms of conversations.

-- The gazetteer reads each field that the semantic model calls personal, since when a row says so, and the company's own
-- numbers, whose shapes are not to be masked. Nothing else: no amount, no date, nothing that is said.
do $$
declare
    line record;
begin
    for line in select * from (values
        ('customer', 'number, name, kind, tax_number'),
        ('supplier', 'number, name, tax_number'),
        ('customer_contact', 'name, email, phone'),
        ('supplier_contact', 'name, email, phone'),
        ('customer_address', 'name, street, postal_code, city'),
        ('shipment_recipient', 'signed_by, street, postal_code, city'),
        ('customer_note', 'author'),
        ('purchase_note', 'author'),
        ('item', 'number, gtin'),
        ('item_alias', 'value'),
        ('customer_item', 'part_number'),
        ('supplier_item', 'part_number'),
        ('customer_contract', 'number'),
        ('sales_order', 'number, customer_po'),
        ('invoice', 'number'),
        ('payment', 'reference'),
        ('purchase_order', 'number, supplier_reference'),
        ('receipt', 'number'),
        ('receipt_line', 'lot'),
        ('reservation', 'lot'),
        ('return_order', 'number'),
        ('service_case', 'number'),
        ('shipment', 'number, tracking_number'),
        ('shipment_line', 'lot'),
        ('stock', 'lot'),
        ('stock_move', 'lot, document'),
        ('transfer', 'number'),
        ('transfer_line', 'lot')
    ) as t (name, columns)
    loop
        execute format('drop policy if exists gazetteer on biz.%I', line.name);
        execute format('create policy gazetteer on biz.%I for select to copilot_gazetteer using (true)', line.name);
        execute format('grant select (id, valid_from, %s) on biz.%I to copilot_gazetteer', line.columns, line.name);
    end loop;
end $$;
grant usage on schema core, directory to copilot_gazetteer;
grant select (outcome, finished_at) on core.batch to copilot_gazetteer;
grant select (name) on directory.person to copilot_gazetteer;

-- The values behind the tokens of a conversation, sealed under a key of its person and one of the day. No reference to
-- the conversation: its first question is masked before anything else is kept of it.
create table state.vault (
    conversation_id uuid primary key,
    subject         text not null,
    revision        integer not null,   -- one more each time, so that of two that write at once one notices
    highest         integer not null,   -- the highest number of a token, so that none is given twice
    key_id          text not null,
    nonce           bytea not null,
    ciphertext      bytea not null,
    kept_at         timestamptz not null
);
create index on state.vault (subject);
create index on state.vault (key_id);
grant select, insert, update, delete on state.vault to copilot_state;
