with
bought as (select * from {{ ref('int_categories_bought') }}),
industries as (select * from {{ ref('int_industries_ranked') }}),

buyers as (
    select
        industries.industry_code,
        bought.customer_id,
        bought.product_category
    from bought
    inner join industries on bought.customer_id = industries.customer_id
    where industries.industry_code is not null
),

industry_buyers as (
    select
        industry_code,
        count(distinct customer_id) as all_buyers
    from buyers
    group by industry_code
),

category_buyers as (
    select
        industry_code,
        product_category,
        count(*) as some_buyers
    from buyers
    group by industry_code, product_category
),

{# What at least a third of the buyers of an industry buy is a need of that industry. #}
usual as (
    select
        category_buyers.industry_code,
        category_buyers.product_category,
        1.0 * category_buyers.some_buyers / industry_buyers.all_buyers as customer_share
    from category_buyers
    inner join industry_buyers
        on category_buyers.industry_code = industry_buyers.industry_code
    where
        industry_buyers.all_buyers >= 5
        and 3 * category_buyers.some_buyers >= industry_buyers.all_buyers
),

open_needs as (
    select
        industries.customer_id,
        usual.product_category,
        usual.customer_share,
        max(usual.customer_share) over (partition by industries.customer_id)
            as largest_share
    from industries
    inner join usual on industries.industry_code = usual.industry_code
    left join bought
        on
            industries.customer_id = bought.customer_id
            and usual.product_category = bought.product_category
    where bought.customer_id is null
),

found as (
    select
        customer_id,
        cast(count(*) as integer) as open_needs,
        cast(max(customer_share) as numeric(5, 4)) as likely_need_share,
        min(case when customer_share = largest_share then product_category end)
            as likely_need
    from open_needs
    group by customer_id
)

select * from found
