-- depends on {{ ref('grace_rules') }} and {{ ref('int_policies_applied') }}
{{ policy_rows_in_force('grace_rules') }}
