{{ config(materialized='incremental') }}
-- those of {{ ref('int_receivables_touched') }}
with
receivables as (select * from {{ ref('stg_erp__receivables') }}),
customers as (select * from {{ ref('int_customers_resolved') }}),
fx_rates as (select * from {{ ref('int_fx_rates_spread_to_months') }}),

converted as (
    select
        receivables.*,
        customers.survivor_id,
        case
            when receivables.currency = '{{ var("base_currency") }}' then 1
            else fx_rates.rate
        end as rate
    from receivables
    inner join customers on receivables.customer_id = customers.customer_id
    {% if follows_changes() -%}
        inner join {{ ref('int_receivables_touched') }} as touched
            on
                customers.survivor_id = touched.customer_id
                and receivables.issued_date >= touched.since_date
    {%- endif %}
    left join fx_rates
        on
            receivables.currency = fx_rates.currency
            and {{ month_start('receivables.issued_date') }} = fx_rates.month_start_date
            and receivables.issued_date >= fx_rates.valid_from_date
            and receivables.issued_date < fx_rates.valid_until_date
    where not customers.is_internal
),

resolved as (
    select
        invoice_id,
        survivor_id as customer_id,
        issued_date,
        due_date,
        is_disputed,
        {# without a day of payment, money is taken as settled when it was due #}
        case
            when paid_date is not null then paid_date
            when paid_amount <> 0 or coalesce(written_off_amount, 0) <> 0
                then due_date
        end as settled_date,
        {{ bill_as_booked('rate * amount') }} as amount,
        {{ bill_as_booked('rate * paid_amount') }} as paid_amount,
        {{ bill_as_booked('rate * written_off_amount') }} as written_off_amount
    from converted
)

select * from resolved
