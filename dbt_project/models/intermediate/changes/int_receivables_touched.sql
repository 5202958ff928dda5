-- after {{ ref('int_customers_touched') }}, which decides what is kept
with
changes as (select * from {{ ref('int_changes_found') }}),

touched as (
    select
        customer_id,
        min(since_date) as since_date
    from changes
    where change_kind in ('receivables', 'identity')
    group by customer_id
)

select * from touched
