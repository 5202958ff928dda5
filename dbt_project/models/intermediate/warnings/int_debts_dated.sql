with
risks as (select * from {{ ref('int_risks_flagged') }}),
receivables as (select * from {{ ref('int_receivables_resolved') }}),
rules as (select * from {{ ref('int_risk_rules_selected') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
periods as (select * from {{ ref('int_risk_periods_dated') }}),

{# As int_payments_measured sees them tonight; a test compares the sums. #}
debts as (
    select
        risks.customer_id,
        periods.periods_back,
        periods.period_end_date,
        receivables.invoice_id,
        receivables.due_date,
        {{ dbt.datediff('receivables.due_date', 'periods.period_end_date', 'day') }}
            as days_overdue,
        receivables.amount - case
            when receivables.settled_date <= periods.period_end_date
                then receivables.paid_amount + coalesce(receivables.written_off_amount, 0)
            else 0
        end as open_amount
    from risks
    inner join receivables
        on
            risks.customer_id = receivables.customer_id
            and not receivables.is_disputed
            and receivables.amount > 0
    inner join periods on receivables.issued_date <= periods.period_end_date
    where risks.risk_flag = 'dishonest'
),

judged as (
    select
        debts.*,
        rules.minimum_overdue_amount,
        rules.minimum_overdue_share,
        debts.days_overdue > rules.minimum_days_overdue as is_overdue
    from debts
    cross join policy
    inner join rules on policy.policy_id = rules.policy_id and rules.risk_flag = 'dishonest'
    where debts.open_amount > 0
)

select * from judged
