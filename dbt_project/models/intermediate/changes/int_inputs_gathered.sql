{#- Kept tables are made anew when a rule is another, or the code of any model or macro. -#}
with
customers as (select * from {{ ref('int_customers_resolved') }}),
products as (select * from {{ ref('stg_erp__products') }}),
cost_rates as (
    {{ rows_of_source(ref('cost_rates'), ['driver', 'valid_from'], amounts=['rate']) }}
),
warning_rules as (select * from {{ ref('int_warning_rules_selected') }}),
selected as (select * from {{ ref('int_policies_selected') }}),
policies as (select * from {{ ref('int_policies_dated') }}),
financing_rates as (
    {{ rows_of_source(ref('financing_rates'), ['valid_from', 'annual_rate']) }}
),
found as (select * from {{ ref('int_profit_lines_found') }}),

rules as (
    select
        concat('cost of ', driver, ' from ', valid_from) as key_id,
        concat(rate) as input_value
    from cost_rates
    where rate is not null

    union all

    select
        concat('warning of ', signal) as key_id,
        concat(minimum_count, ' ', minimum_months, ' ', threshold) as input_value
    from warning_rules

    union all

    select
        'windows' as key_id,
        concat(policies.window_months, ' ', policies.loyalty_months) as input_value
    from policies
    inner join selected on policies.policy_id = selected.policy_id

    union all

    select
        concat('rate of ', currency) as key_id,
        'known' as input_value
    from {{ ref('int_fx_rates_averaged') }}

    union all

    select
        concat('rate of interest from ', valid_from) as key_id,
        concat(annual_rate) as input_value
    from financing_rates

    union all

    select
        'lines of the P&L without data' as key_id,
        concat(missing_lines, ' ', has_services) as input_value
    from found

    union all

    select
        'code' as key_id,
        '{{ env_var("CUSTOMER_TIERS_DBT_CODE", "run by hand") }}' as input_value
),

gathered as (
    select
        'rule' as kind,
        key_id,
        input_value
    from rules

    {% for model in kept_models() %}
        union all

        select
            'model' as kind,
            '{{ model.name }}' as key_id,
            'kept' as input_value
    {% endfor %}

    union all

    select
        'month' as kind,
        'the first that is not over' as key_id,
        concat({{ month_start(days_after(1, business_date())) }}) as input_value

    union all

    select
        'date' as kind,
        'business_date' as key_id,
        '{{ var("business_date") }}' as input_value

    union all

    select
        'customer' as kind,
        customer_id as key_id,
        survivor_id as input_value
    from customers

    union all

    select
        'internal' as kind,
        customer_id as key_id,
        'true' as input_value
    from customers
    where is_internal

    union all

    select
        'category' as kind,
        product_id as key_id,
        product_category as input_value
    from products
    where product_category is not null
)

select * from gathered
