with

risks as (

    select *
    from {{ ref('int_risks_flagged') }}
    where risk_flag is not null

),

receivables as (

    select * from {{ ref('int_receivables_resolved') }}

),

months as (

    select
        *,
        {{ margin('contribution') }} as contribution

    from {{ ref('int_contributions_aggregated_to_months') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

risk_rules as (

    select * from {{ ref('risk_rules') }}

),

quarters as (

    {{ dbt.generate_series(4) }}

),

{# Tonight is the first period; before it, the ends of months three months apart. #}
periods as (

    select
        policy.policy_id,
        quarters.generated_number as periods_back,
        {{ days_after(-1, months_before(
            '3 * quarters.generated_number',
            month_start(days_after(1, 'policy.business_date'))
        )) }} as period_end_date

    from quarters

    cross join policy

),

debts as (

    select
        risks.customer_id,
        periods.periods_back,
        periods.period_end_date,
        receivables.amount - case
            when receivables.settled_date <= periods.period_end_date
                then
                    receivables.paid_amount
                    + coalesce(receivables.written_off_amount, 0)
            else 0
        end as open_amount,
        {{ dbt.datediff('receivables.due_date', 'periods.period_end_date', 'day') }}
        > risk_rules.minimum_days_overdue as is_overdue,
        risk_rules.minimum_overdue_amount,
        risk_rules.minimum_overdue_share

    from risks

    inner join receivables
        on
            risks.customer_id = receivables.customer_id
            and not receivables.is_disputed
            and receivables.amount > 0

    inner join periods
        on receivables.issued_date <= periods.period_end_date

    inner join risk_rules
        on
            periods.policy_id = risk_rules.policy_id
            and risks.risk_flag = risk_rules.risk_flag

    where risks.risk_flag = 'dishonest'

),

losses as (

    select
        risks.customer_id,
        periods.periods_back,
        periods.period_end_date,
        months.contribution,
        months.month_start_date
        > {{ months_before(12, 'periods.period_end_date') }} as is_in_window,
        risk_rules.minimum_loss

    from risks

    inner join months
        on risks.customer_id = months.customer_id

    inner join periods
        on
            months.month_start_date <= periods.period_end_date
            and months.month_start_date
            > {{ months_before(24, 'periods.period_end_date') }}

    inner join risk_rules
        on
            periods.policy_id = risk_rules.policy_id
            and risks.risk_flag = risk_rules.risk_flag

    where risks.risk_flag = 'bad'

),

held as (

    select
        customer_id,
        periods_back,
        period_end_date

    from debts

    group by
        customer_id,
        periods_back,
        period_end_date

    having
        sum(case when is_overdue then greatest(open_amount, 0) else 0 end)
        >= greatest(
            max(minimum_overdue_amount),
            max(minimum_overdue_share) * sum(greatest(open_amount, 0))
        )

    union all

    select
        customer_id,
        periods_back,
        period_end_date

    from losses

    group by
        customer_id,
        periods_back,
        period_end_date

    having
        sum(case when is_in_window then contribution else 0 end) <= -max(minimum_loss)
        and sum(case when is_in_window then 0 else contribution end)
        <= -max(minimum_loss)

),

numbered as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by periods_back
        ) as held_number

    from held

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

    group by
        risks.customer_id,
        risks.risk_flag

)

select * from counted
