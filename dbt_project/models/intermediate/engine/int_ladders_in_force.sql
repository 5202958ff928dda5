-- depends on {{ ref('tier_ladder') }} and {{ ref('int_policies_applied') }}
{{ policy_rows_in_force('tier_ladder') }}
