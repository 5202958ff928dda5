with
items as (select * from {{ ref('digest_item') }}),
schedules as (select * from {{ ref('int_digests_scheduled') }}),
audiences as (select * from {{ ref('int_audiences_found') }}),

{# One row per customer of a mail. #}
customers as (
    select
        kind,
        recipient_id,
        customer_id,
        is_shown,
        customer_amount,
        coalesce(owner_id, '') as owner_id,
        min(role) as role,
        max(case when direction = 'up' then 1 else 0 end) as is_up,
        max(case when direction = 'down' then 1 else 0 end) as is_down
    from items
    where section = 'main'
    group by kind, recipient_id, customer_id, owner_id, is_shown, customer_amount
),

placed as (
    select
        customers.*,
        audiences.role_order,
        audiences.recipient_name,
        audiences.channel,
        audiences.address,
        audiences.locale,
        audiences.owner_name,
        schedules.told_until,
        schedules.period_until,
        row_number() over (
            partition by customers.kind, customers.recipient_id
            order by audiences.role_order, customers.customer_id
        ) as place
    from customers
    inner join audiences
        on
            customers.owner_id = audiences.owner_id
            and customers.recipient_id = audiences.recipient_id
            and customers.role = audiences.role
    inner join schedules
        on
            customers.role = schedules.role
            and customers.kind = schedules.kind
),

counted as (
    select
        kind,
        recipient_id,
        count(*) as customers,
        sum(case when is_shown then 1 else 0 end) as customers_shown,
        sum(is_up) as customers_up,
        sum(is_down) as customers_down,
        sum(customer_amount) as amount,
        sum(case when not is_shown then customer_amount end) as amount_rest,
        min(told_until) as told_until,
        max(period_until) as period_until
    from placed
    group by kind, recipient_id
),

substituted as (
    select
        kind,
        recipient_id,
        {{ dbt.listagg('owner_name', "', '", 'order by owner_name') }} as substitutes_for
    from (
        select distinct
            kind,
            recipient_id,
            owner_name
        from placed
        where
            role in ('owner', 'fallback')
            and recipient_id <> owner_id
            and owner_name is not null
    ) as substitutes
    group by kind, recipient_id
),

recipients as (
    select
        {{ business_date() }} as business_date,
        placed.kind,
        placed.recipient_id,
        placed.role,
        placed.recipient_name,
        placed.channel,
        placed.address,
        placed.locale,
        {{ days_after(1, 'counted.told_until') }} as period_from,
        counted.period_until,
        cast(counted.customers as integer) as customers,
        cast(counted.customers_shown as integer) as customers_shown,
        cast(counted.customers - counted.customers_shown as integer) as customers_rest,
        cast(counted.customers_up as integer) as customers_up,
        cast(counted.customers_down as integer) as customers_down,
        cast(counted.amount as numeric(24, 6)) as amount,
        cast(counted.amount_rest as numeric(24, 6)) as amount_rest,
        substituted.substitutes_for
    from placed
    inner join counted
        on
            placed.kind = counted.kind
            and placed.recipient_id = counted.recipient_id
    left join substituted
        on
            placed.kind = substituted.kind
            and placed.recipient_id = substituted.recipient_id
    where placed.place = 1
)

select * from recipients
