with
receivables as (select * from {{ ref('int_receivables_resolved') }}),

steps as (
    select
        invoice_id,
        customer_id,
        issued_date as from_date,
        coalesce(settled_date, cast('9999-12-31' as date)) as until_date,
        amount as open_amount
    from receivables

    union all

    select
        invoice_id,
        customer_id,
        {# paid before it was issued: owed from the day it was issued #}
        greatest(settled_date, issued_date) as from_date,
        cast('9999-12-31' as date) as until_date,
        greatest(
            amount - paid_amount - coalesce(written_off_amount, 0), 0
        ) as open_amount
    from receivables
    where settled_date is not null
),

owed as (
    select *
    from steps
    where
        open_amount <> 0
        and from_date < until_date
)

select * from owed
