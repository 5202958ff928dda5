with
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),
unit_costs as (select * from {{ ref('int_unit_costs_dated') }}),

products as (
    select
        product_id,
        standard_cost,
        cast('0001-01-01' as date) as valid_from_date,
        cast('9999-12-31' as date) as valid_until_date
    from {{ ref('stg_erp__products') }}
),

prices as (
    select
        'base_currency' as price_kind,
        '{{ var("base_currency") }}' as key_id,
        cast('0001-01-01' as date) as valid_from_date,
        cast('9999-12-31' as date) as valid_until_date,
        '{{ version_of_facts() }}' as price

    union all

    select
        'rate' as price_kind,
        currency as key_id,
        valid_from_date,
        valid_until_date,
        cast(rate as {{ dbt.type_string() }}) as price
    from fx_rates

    union all

    select
        'cost' as price_kind,
        product_id as key_id,
        valid_from_date,
        valid_until_date,
        cast(unit_cost as {{ dbt.type_string() }}) || ' = '
        || cast(document_unit_cost as {{ dbt.type_string() }}) || ' ' || currency
            as price
    from unit_costs

    union all

    select
        'standard_cost' as price_kind,
        product_id as key_id,
        valid_from_date,
        valid_until_date,
        cast(standard_cost as {{ dbt.type_string() }}) as price
    from products
)

select * from prices
