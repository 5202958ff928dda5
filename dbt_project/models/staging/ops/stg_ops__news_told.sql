with
news_told as (
    select
        business_date,
        recipient_id,
        kind,
        customer_id,
        topic,
        cause,
        direction
    from {{ source('ops', 'news_told') }}
)

select * from news_told
