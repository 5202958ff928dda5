with

category_days as (

    select * from {{ ref('fct_category_days') }}

),

customers as (

    select * from {{ ref('int_customers_resolved') }}

),

industries as (

    select * from {{ ref('int_industries_ranked') }}

),

policy as (

    select * from {{ ref('int_policies_selected') }}

),

bought as (

    select distinct
        customers.survivor_id as customer_id,
        category_days.product_category

    from category_days

    inner join customers
        on category_days.customer_id = customers.customer_id

    inner join policy
        on
            category_days.day > policy.window_start_date
            and category_days.day <= policy.business_date

    where
        category_days.product_category is not null
        and category_days.order_lines > 0

),

{# What at least a third of the buyers of an industry buy is a need of that industry. #}
usual as (

    select
        industries.industry_code,
        bought.product_category,
        1.0 * count(*) / buyers.customers as customer_share

    from bought

    inner join industries
        on bought.customer_id = industries.customer_id

    inner join (
        select
            industries.industry_code,
            count(distinct bought.customer_id) as customers

        from bought

        inner join industries
            on bought.customer_id = industries.customer_id

        group by industries.industry_code
    ) as buyers
        on industries.industry_code = buyers.industry_code

    where buyers.customers >= 5
    group by
        industries.industry_code,
        bought.product_category,
        buyers.customers
    having 3 * count(*) >= buyers.customers

),

open_needs as (

    select
        industries.customer_id,
        usual.product_category,
        usual.customer_share,
        max(usual.customer_share) over (partition by industries.customer_id)
            as largest_share

    from industries

    inner join usual
        on industries.industry_code = usual.industry_code

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
        min(case when customer_share = largest_share then product_category end)
            as likely_need,
        cast(max(customer_share) as numeric(5, 4)) as likely_need_share

    from open_needs
    group by customer_id

)

select * from found
