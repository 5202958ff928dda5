with
bought as (select * from {{ ref('int_categories_bought') }}),

shared as (
    select
        customer_id,
        product_category,
        order_lines,
        max(order_lines) over (partition by customer_id) as most_lines,
        1.0 * order_lines / sum(order_lines) over (partition by customer_id)
            as line_share
    from bought
),

aggregated as (
    select
        customer_id,
        cast(count(*) as integer) as categories_12m,
        cast(abs(sum(line_share * ln(line_share))) as numeric(9, 6))
            as category_entropy,
        min(case when order_lines = most_lines then product_category end)
            as top_category
    from shared
    group by customer_id
)

select * from aggregated
