with
risks as (
    select * from {{ ref('int_risks_flagged') }}
    where risk_flag is not null
),

debts as (select * from {{ ref('int_debts_dated') }}),

months as (
    select
        *,
        {{ margin('contribution') }} as contribution
    from {{ ref('int_contributions_aggregated_to_months') }}
),

policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_risk_rules_selected') }}),

{# Tonight's flag is the first period; what held before it is told from dated facts. #}
periods as (
    select * from {{ ref('int_risk_periods_dated') }}
    where periods_back > 0
),

periods_in_debt as (
    select
        customer_id,
        periods_back,
        period_end_date
    from debts
    where periods_back > 0
    group by customer_id, periods_back, period_end_date
    having
        sum(case when is_overdue then open_amount else 0 end) >= greatest(
            max(minimum_overdue_amount), max(minimum_overdue_share) * sum(open_amount)
        )
),

losses as (
    select
        risks.customer_id,
        periods.periods_back,
        periods.period_end_date,
        rules.minimum_loss,
        months.contribution,
        months.month_start_date > {{ months_before(12, 'periods.period_end_date') }}
            as is_in_window
    from risks
    inner join months on risks.customer_id = months.customer_id
    inner join periods
        on
            months.month_start_date <= periods.period_end_date
            and months.month_start_date > {{ months_before(24, 'periods.period_end_date') }}
    cross join policy
    inner join rules on policy.policy_id = rules.policy_id and risks.risk_flag = rules.risk_flag
    where risks.risk_flag = 'bad'
),

periods_in_loss as (
    select
        customer_id,
        periods_back,
        period_end_date
    from losses
    group by customer_id, periods_back, period_end_date
    having
        sum(case when is_in_window then contribution else 0 end) <= -max(minimum_loss)
        and sum(case when is_in_window then 0 else contribution end) <= -max(minimum_loss)
),

{# The periods that held, newest first: without a gap, the first is one back, and so on. #}
numbered as (
    select
        *,
        row_number() over (partition by customer_id order by periods_back) as held_number
    from (
        select * from periods_in_debt
        union all
        select * from periods_in_loss
    ) as held
),

counted as (
    select
        risks.customer_id,
        risks.risk_flag,
        cast(1 + count(numbered.customer_id) as integer) as periods_flagged,
        coalesce(min(numbered.period_end_date), {{ business_date() }}) as flagged_since
    from risks
    left join numbered
        on
            risks.customer_id = numbered.customer_id
            and numbered.periods_back = numbered.held_number
    group by risks.customer_id, risks.risk_flag
)

select * from counted
