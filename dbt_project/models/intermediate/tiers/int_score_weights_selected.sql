with

score_weights as (

    select * from {{ ref('score_weights') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

selected as (

    select
        max(case
            when score_weights.component = 'contribution' then score_weights.weight
        end) as contribution_weight,
        max(case
            when score_weights.component = 'loyalty' then score_weights.weight
        end) as loyalty_weight

    from score_weights

    inner join policy
        on score_weights.policy_id = policy.policy_id

)

select * from selected
