with
readers as (select * from {{ ref('int_readers_found') }}),
owners as (select * from {{ ref('stg_crm__owners') }}),

recipients as (
    select * from {{ ref('digest_recipients') }}
    where
        source = '{{ var("source") }}'
        and role <> 'ops'
),

roles as (
    select
        owner_id,
        owner_name,
        reader_id as recipient_id,
        'owner' as role,
        1 as role_order
    from readers
    where reader_id is not null

    union all

    select
        owner_id,
        owner_name,
        manager_id as recipient_id,
        'manager' as role,
        3 as role_order
    from readers
    where manager_id <> reader_id

    union all

    select
        readers.owner_id,
        readers.owner_name,
        recipients.recipient_id,
        recipients.role,
        case recipients.role
            when 'fallback' then 2
            when 'sales_director' then 4
            when 'credit_controller' then 5
            else 6
        end as role_order
    from readers
    cross join recipients
    where
        recipients.role <> 'fallback'
        or readers.reader_id is null
),

addresses as (
    select
        owner_id as recipient_id,
        owner_name as recipient_name,
        'mail' as channel,
        owner_email as address,
        locale
    from owners
    where owner_id not in (select recipients.recipient_id from recipients)

    union all

    select
        recipient_id,
        min(recipient_name) as recipient_name,
        min(channel) as channel,
        min(address) as address,
        coalesce(min(locale), 'en') as locale
    from recipients
    group by recipient_id
),

audiences as (
    select
        roles.*,
        addresses.recipient_name,
        addresses.channel,
        addresses.address,
        addresses.locale
    from roles
    inner join addresses on roles.recipient_id = addresses.recipient_id
)

select * from audiences
