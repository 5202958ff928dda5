{{ config(post_hook=["{{ remember_inputs() }}"]) }}
-- after {{ ref('int_inputs_remembered') }}, {{ ref('int_inputs_gathered') }}
-- and {{ ref('int_months_opened') }}, which asks what the night before was
with
changes as (select * from {{ ref('int_changes_found') }}),

touched as (
    select distinct customer_id
    from changes
    where change_kind <> 'receivables'
)

select * from touched
