{{ config(post_hook=["{{ remember_inputs() }}"]) }}
-- after {{ ref('int_inputs_remembered') }}, {{ ref('int_inputs_gathered') }}
-- and {{ ref('int_months_opened') }}, which asks what the night before was
with
changes as (select * from {{ ref('int_changes_found') }}),
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),

{# Whose tier waits may fall or rise tonight; then its products are asked for. #}
touched as (
    select customer_id
    from changes
    where change_kind <> 'receivables'

    union distinct

    select customer_id
    from remembered
    where
        pending_direction is not null
        or rule = 'stepped_down'
)

select * from touched
