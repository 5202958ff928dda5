{#- The night that the kept tables were made for, beside this one. -#}
with
memory as (select * from {{ ref('int_inputs_remembered') }}),

nights as (
    select
        windows.*,
        policies.window_months,
        policies.loyalty_months,
        (
            select cast(max(memory.input_value) as date)
            from memory
            where memory.kind = 'date'
        ) as since_date
    from {{ ref('int_windows_compared') }} as windows
    inner join {{ ref('int_policies_dated') }} as policies
        on windows.policy_id = policies.policy_id
)

select * from nights
