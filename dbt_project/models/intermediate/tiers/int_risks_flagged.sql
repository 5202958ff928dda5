with
contributions as (select * from {{ ref('int_contributions_aggregated_to_windows') }}),
payments as (select * from {{ ref('int_payments_measured') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
risk_rules as (select * from {{ ref('int_risk_rules_selected') }}),

rules as (
    select
        max(risk_rules.minimum_overdue_amount) as minimum_overdue_amount,
        max(risk_rules.minimum_overdue_share) as minimum_overdue_share,
        max(risk_rules.minimum_loss) as minimum_loss
    from risk_rules
    inner join policy on risk_rules.policy_id = policy.policy_id
),

flagged as (
    select
        contributions.customer_id,
        case
            when
                payments.overdue_amount >= rules.minimum_overdue_amount
                and payments.overdue_amount
                >= rules.minimum_overdue_share * payments.open_amount
                then 'dishonest'
            when
                contributions.contribution_12m <= -rules.minimum_loss
                and contributions.contribution_prior_12m <= -rules.minimum_loss
                then 'bad'
        end as risk_flag
    from contributions
    cross join rules
    left join payments on contributions.customer_id = payments.customer_id
)

select * from flagged
