with
balances as (
    {{ reaching_into_touched_months(ref('int_balances_dated')) }}
),

periods as (select * from {{ ref('int_financing_periods_dated') }}),

months as (
    select
        month_start_date,
        cast(row_number() over (order by month_start_date) as integer) as month_number
    from periods
    group by month_start_date
),

{# How many months lie between two, and the steps from the one to the other. #}
steps as (
    select
        until_months.month_number - 1 as months_between,
        months.month_number - 1 as step
    from months
    inner join months as until_months
        on months.month_number <= until_months.month_number
),

{# A row per month in which a balance is open. Found by equality: a planner has nothing
   better than loops for what overlaps. #}
spread as (
    select
        balances.invoice_id,
        balances.customer_id,
        balances.from_date,
        balances.until_date,
        balances.open_amount,
        first_months.month_number + steps.step as month_number
    from balances
    inner join months as first_months
        on {{ month_start(
            "greatest(balances.from_date, cast('1990-01-01' as date))"
        ) }} = first_months.month_start_date
    inner join months as last_months
        on {{ month_start(
            'least(' ~ days_after(-1, 'balances.until_date') ~ ', ' ~ business_date() ~ ')'
        ) }} = last_months.month_start_date
    inner join steps
        on last_months.month_number - first_months.month_number = steps.months_between
),

open_months as (
    select
        spread.*,
        months.month_start_date
    from spread
    inner join months on spread.month_number = months.month_number
)

select * from open_months
