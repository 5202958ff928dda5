with
policy as (select * from {{ ref('int_policies_selected') }}),

rules as (
    {{ rows_of_source(
        ref('risk_rules'),
        ['policy_id', 'risk_flag', 'minimum_days_overdue', 'minimum_overdue_share', 'valid_from'],
        amounts=['minimum_overdue_amount', 'minimum_loss']
    ) }}
),

{# Days and shares hold in any currency; without its amount a flag is off. #}
in_force as (
    {{ newest_rows('rules', ['policy_id', 'risk_flag'], business_date()) }}
),

selected as (
    select
        in_force.policy_id,
        in_force.risk_flag,
        in_force.minimum_days_overdue,
        in_force.minimum_overdue_amount,
        in_force.minimum_overdue_share,
        in_force.minimum_loss
    from in_force
    inner join policy on in_force.policy_id = policy.policy_id
)

select * from selected
