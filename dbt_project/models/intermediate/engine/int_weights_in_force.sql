-- depends on {{ ref('score_weights') }} and {{ ref('int_policies_applied') }}
{{ policy_rows_in_force('score_weights') }}
