{#- All rows of seeds that decide the tiers of the policies in force. -#}
{%- set of_policy = {
    'tier_ladder': ['tier'], 'tier_cuts': ['tier', 'axis'], 'score_weights': ['component'],
    'grace_rules': ['warning_code']
} -%}
with
policies as (select * from {{ ref('int_policies_in_force') }}),

{% for seed in ['tier_policies', 'loyalty_weights'] + of_policy.keys() | list -%}
    {{ seed }}_in_force as (
        {{ newest_rows(
            ref(seed),
            ['policy_id'] + of_policy.get(seed, ['component'] if seed == 'loyalty_weights' else []),
            business_date()
        ) }}
    ),

{% endfor -%}
risk_rules_in_force as (select * from {{ ref('int_risk_rules_selected') }}),

cost_rates as (
    {{ rows_of_source(ref('cost_rates'), ['driver', 'valid_from'], amounts=['rate']) }}
),

financing_rates as (
    {{ rows_of_source(ref('financing_rates'), ['valid_from', 'annual_rate']) }}
),

activity_rules as (
    {{ rows_in_force(ref('activity_rules')) }}
),

warning_rules as (select * from {{ ref('int_warning_rules_selected') }}),

gathered as (
    {% for seed, key in of_policy.items() -%}
        select
            policies.policy_id,
            policies.role,
            '{{ seed }}' as seed,
            concat_ws(' ', {{ listed(key, 'seed_rows') }}) as row_key,
            {{ row_values('seed_rows') }} as row_values
        from policies
        inner join {{ seed }}_in_force as seed_rows on policies.policy_id = seed_rows.policy_id
        where {{ engine_seeds()[seed].counts }}

        union all

    {% endfor -%}
    select
        policies.policy_id,
        policies.role,
        'tier_policies' as seed,
        seed_rows.policy_id as row_key,
        {{ row_values('seed_rows') }} as row_values
    from policies
    inner join tier_policies_in_force as seed_rows
        on seed_rows.policy_id in (policies.policy_id, policies.measured_as)
    {% for seed, key, condition in [
        ('loyalty_weights', 'seed_rows.component', 'policies.measured_as = seed_rows.policy_id'),
        ('risk_rules', 'seed_rows.risk_flag', 'policies.measured_as = seed_rows.policy_id'),
    ] %}
        union all

        select
            policies.policy_id,
            policies.role,
            '{{ seed }}' as seed,
            {{ key }} as row_key,
            {{ row_values('seed_rows') }} as row_values
        from policies
        inner join {{ seed }}_in_force as seed_rows on {{ condition }}
    {% endfor %}
    {#- What the rows of all companies and policies say of costs, contacts and warnings. -#}
    {% for seed, key, condition in [
        ('cost_rates', "concat(seed_rows.driver, ' from ', seed_rows.valid_from)",
         'seed_rows.rate is not null and seed_rows.valid_from <= policies.business_date'),
        ('financing_rates', "concat('from ', seed_rows.valid_from)",
         'seed_rows.valid_from <= policies.business_date'),
        ('activity_rules', "'all'", 'true'),
        ('warning_rules', 'seed_rows.signal', 'true'),
    ] %}
        union all

        select
            policies.policy_id,
            policies.role,
            '{{ seed }}' as seed,
            {{ key }} as row_key,
            {{ row_values('seed_rows') }} as row_values
        from policies
        inner join {{ seed }} as seed_rows on {{ condition }}
    {% endfor %}
)

select * from gathered
