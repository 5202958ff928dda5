{{ config(materialized='incremental') }}
with
balances as (select * from {{ ref('int_balances_spread_to_months') }}),
periods as (select * from {{ ref('int_financing_periods_dated') }}),
receivables as (select * from {{ ref('int_receivables_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

touched_balances as (
    {{ of_touched_months('balances') }}
),

financed as (
    select
        touched_balances.customer_id,
        periods.month_start_date,
        periods.window_number,
        touched_balances.open_amount
        * periods.annual_rate
        * {{ dbt.datediff(
            'greatest(touched_balances.from_date, periods.from_date)',
            'least(touched_balances.until_date, periods.until_date)',
            'day'
        ) }}
        / 365 as financing_cost
    from touched_balances
    inner join periods
        on
            touched_balances.month_start_date = periods.month_start_date
            and touched_balances.from_date < periods.until_date
            and touched_balances.until_date > periods.from_date
),

written_off as (
    select
        receivables.customer_id,
        {{ month_start('receivables.settled_date') }} as month_start_date,
        {{ window_number('receivables.settled_date') }} as window_number,
        receivables.written_off_amount
    from receivables
    inner join policy on receivables.settled_date <= policy.business_date
    where receivables.written_off_amount <> 0
),

touched_losses as (
    {{ of_touched_months('written_off') }}
),

costs as (
    select
        customer_id,
        month_start_date,
        window_number,
        financing_cost,
        0 as bad_debt_cost
    from financed

    union all

    select
        customer_id,
        month_start_date,
        window_number,
        0 as financing_cost,
        written_off_amount as bad_debt_cost
    from touched_losses
),

summed as (
    select
        customer_id,
        month_start_date,
        window_number,
        {{ to_money('sum(financing_cost)') }} as receivable_financing_cost,
        {{ to_money('sum(bad_debt_cost)') }} as bad_debt_cost
    from costs
    group by customer_id, month_start_date, window_number
)

select * from summed
