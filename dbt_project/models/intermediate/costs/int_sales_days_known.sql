with

sales_days as (

    select * from {{ ref('fct_sales_days') }}

),

{# What is posted later counts on an earlier day, but nobody knew it that night. #}
known as (

    select *
    from sales_days
    where posted_day <= {{ business_date() }}

)

select * from known
