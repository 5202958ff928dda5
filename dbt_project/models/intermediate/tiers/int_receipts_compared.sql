with
remembered as (select * from {{ ref('stg_bi__tier_decisions') }}),
recalled as (select * from {{ ref('int_receipts_recalled') }}),
spells as (select * from {{ ref('int_spells_found') }}),

before_spells as (
    select
        {{- listed(compared_columns(), 'recalled') }},
        true as is_before_spell
    from recalled
    inner join spells
        on
            recalled.customer_id = spells.customer_id
            and recalled.business_date = spells.compared_with
            and recalled.policy_id = spells.policy_id
),

compared as (
    select *
    from before_spells

    union all

    select
        {{- listed(compared_columns(), 'remembered') }},
        false as is_before_spell
    from remembered
    left join before_spells on remembered.customer_id = before_spells.customer_id
    where before_spells.customer_id is null
)

select * from compared
