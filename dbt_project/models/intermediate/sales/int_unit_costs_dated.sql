with
product_costs as (select * from {{ ref('stg_erp__product_costs') }}),
fx_rates as (select * from {{ ref('int_fx_rates_dated') }}),

followed as (
    select
        *,
        lead(valid_from_date, 1, cast('9999-12-31' as date)) over (
            partition by product_id
            order by valid_from_date
        ) as next_valid_from_date
    from product_costs
),

dated as (
    select
        followed.product_id,
        followed.valid_from_date,
        case
            when followed.valid_to_date < followed.next_valid_from_date
                then {{ days_after(1, 'followed.valid_to_date') }}
            else followed.next_valid_from_date
        end as valid_until_date,
        followed.currency,
        followed.unit_cost as document_unit_cost,
        case
            when followed.currency = '{{ var("base_currency") }}'
                then followed.unit_cost
            else followed.unit_cost * fx_rates.rate
        end as unit_cost
    from followed
    left join fx_rates
        on
            followed.currency = fx_rates.currency
            and followed.valid_from_date >= fx_rates.valid_from_date
            and followed.valid_from_date < fx_rates.valid_until_date
)

select * from dated
