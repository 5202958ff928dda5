-- Nobody is told about a customer as its owner but the owner as of tonight, or who substitutes them.
with

items as (

    select * from {{ ref('digest_item') }}

),

readers as (

    select * from {{ ref('int_readers_found') }}

)

select
    items.kind,
    items.recipient_id,
    items.customer_id

from items

left join readers
    on
        coalesce(items.owner_id, '') = readers.owner_id
        and items.recipient_id = readers.reader_id

where
    items.role = 'owner'
    and readers.owner_id is null
