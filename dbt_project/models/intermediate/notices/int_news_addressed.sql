with
news as (select * from {{ ref('int_news_gathered') }}),
customers as (select * from {{ ref('int_customers_described') }}),
audiences as (select * from {{ ref('int_audiences_found') }}),
told as (select * from {{ ref('stg_ops__news_told') }}),

addressed as (
    select
        news.*,
        customers.customer_name,
        customers.owner_id,
        audiences.owner_name,
        audiences.recipient_id,
        audiences.role_order,
        row_number() over (
            partition by
                audiences.recipient_id,
                news.kind,
                news.customer_id,
                news.topic,
                news.cause
            order by audiences.role_order
        ) as role_number
    from news
    inner join customers on news.customer_id = customers.customer_id
    inner join audiences
        on
            coalesce(customers.owner_id, '') = audiences.owner_id
            and news.role = audiences.role
),

{# Who is two things to a customer is told once; so is a fall that waits, in each spell. #}
once as (
    select addressed.*
    from addressed
    left join told
        on
            addressed.recipient_id = told.recipient_id
            and addressed.kind = told.kind
            and addressed.customer_id = told.customer_id
            and addressed.topic = told.topic
            and addressed.cause = told.cause
            and coalesce(addressed.direction, 'none') = told.direction
            and told.business_date < {{ business_date() }}
            and (
                {{ dbt.datediff('told.business_date', business_date(), 'day') }}
                <= addressed.quiet_days
                or (
                    addressed.topic = 'about_to_fall'
                    and addressed.since <= told.business_date
                )
            )
    where
        addressed.role_number = 1
        and told.recipient_id is null
)

select * from once
