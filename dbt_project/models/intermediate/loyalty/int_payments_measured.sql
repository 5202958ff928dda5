with
receivables as (select * from {{ ref('int_receivables_resolved') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
risk_rules as (select * from {{ ref('int_risk_rules_selected') }}),

{# What was settled after the business date was still open on it. #}
known_then as (
    select
        receivables.*,
        receivables.amount - case
            when receivables.settled_date <= policy.business_date
                then
                    receivables.paid_amount
                    + coalesce(receivables.written_off_amount, 0)
            else 0
        end as open_amount,
        receivables.settled_date <= receivables.due_date
        and receivables.paid_amount >= receivables.amount as is_paid_on_time,
        receivables.due_date > policy.window_start_date
        and receivables.due_date < policy.business_date as is_due_in_window,
        {{ dbt.datediff('receivables.due_date', 'policy.business_date', 'day') }}
            as days_overdue
    from receivables
    inner join policy on receivables.issued_date <= policy.business_date
    where
        not receivables.is_disputed
        and receivables.amount > 0
),

{# One row always: without the rule nothing is overdue, and payment still counts. #}
rules as (
    select max(risk_rules.minimum_days_overdue) as minimum_days_overdue
    from risk_rules
    inner join policy on risk_rules.policy_id = policy.policy_id
    where risk_rules.risk_flag = 'dishonest'
),

measured as (
    select
        known_then.customer_id,
        cast(
            sum(case
                when known_then.is_due_in_window and known_then.is_paid_on_time
                    then known_then.amount
                when known_then.is_due_in_window then 0
            end)
            / sum(case when known_then.is_due_in_window then known_then.amount end)
            as numeric(7, 6)
        ) as payment,
        sum(greatest(known_then.open_amount, 0)) as open_amount,
        sum(case
            when known_then.days_overdue > rules.minimum_days_overdue
                then greatest(known_then.open_amount, 0)
            else 0
        end) as overdue_amount
    from known_then
    cross join rules
    group by known_then.customer_id
)

select * from measured
