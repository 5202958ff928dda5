{#- Flagged customers whom the path must not take beyond prepayment, and the first reason. -#}
with
risks as (
    select * from {{ ref('int_risks_flagged') }}
    where risk_flag is not null
),

profiles as (select * from {{ ref('int_profiles_described') }}),
debts as (select * from {{ ref('int_debts_dated') }}),
payments as (select * from {{ ref('int_payments_measured') }}),

decisions as (
    select * from {{ ref('int_tiers_decided') }}
    where role = 'leading'
),

months as (
    select
        earned.customer_id,
        earned.window_number,
        extract(month from earned.month_start_date) as month_of_year,
        sum(earned.net_revenue) as net_revenue,
        sum({{ margin('contribution') }}) as contribution
    from {{ ref('int_contributions_aggregated_to_months') }} as earned
    inner join risks on earned.customer_id = risks.customer_id
    where earned.window_number in (1, 2)
    group by
        earned.customer_id, earned.window_number, extract(month from earned.month_start_date)
),

{# Of both windows, without their worst month: a loss that came once is none then. #}
measured as (
    select
        customer_id,
        count(distinct case when net_revenue > 0 then month_of_year end) as months_bought,
        count(distinct case when net_revenue > 0 then window_number end) as windows_bought,
        sum(contribution) - min(contribution) as contribution_without_worst
    from months
    group by customer_id
),

overdue as (
    select
        customer_id,
        count(*) as invoices
    from debts
    where periods_back = 0 and is_overdue
    group by customer_id
),

judged as (
    select
        risks.customer_id,
        case
            when profiles.is_strategic then 'strategic'
            when decisions.base_rule = 'new' then 'new'
            when
                (
                    risks.risk_flag = 'dishonest'
                    and overdue.invoices = 1
                    and payments.payment >= 0.5
                )
                or (risks.risk_flag = 'bad' and measured.contribution_without_worst >= 0)
                then 'one_off'
            when measured.windows_bought = 2 and measured.months_bought <= 4 then 'seasonal'
        end as protected_by
    from risks
    left join profiles on risks.customer_id = profiles.customer_id
    left join decisions on risks.customer_id = decisions.customer_id
    left join measured on risks.customer_id = measured.customer_id
    left join payments on risks.customer_id = payments.customer_id
    left join overdue on risks.customer_id = overdue.customer_id
)

select * from judged
