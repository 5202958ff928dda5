with
categories as (
    select
        *,
        sum(order_lines_12m) over (partition by customer_id) as all_order_lines_12m
    from {{ ref('int_categories_measured') }}
),

rules as (select * from {{ ref('int_warning_rules_selected') }}),

judged as (
    select
        categories.*,
        case when categories.lost_since is not null then 1 else 0 end as is_lost,
        case
            when categories.order_lines_season >= rules.minimum_count then 1
            else 0
        end as is_compared,
        case
            when
                categories.order_lines_season >= rules.minimum_count
                and categories.order_lines_3m
                <= (1 - rules.threshold) * categories.order_lines_season
                then 1
            else 0
        end as is_fallen,
        {# the lost category that stands for the others: the largest one #}
        row_number() over (
            partition by categories.customer_id
            order by
                case when categories.lost_since is null then 1 else 0 end asc,
                categories.order_lines_12m desc,
                categories.product_category asc
        ) as lost_rank
    from categories
    inner join rules on rules.signal = 'category_fall'
),

compared as (
    select
        customer_id,
        cast(sum(is_lost) as integer) as lost_categories,
        cast(sum(is_compared) as integer) as compared_categories,
        cast(sum(is_fallen) as integer) as fallen_categories,
        cast(sum((1 - is_lost) * is_fallen) as integer) as fallen_other_categories,
        cast(sum(case when order_lines_3m > 0 then 1 else 0 end) as integer)
            as bought_categories,
        min(lost_since) as lost_since,
        1.0 * sum(is_lost * order_lines_12m) / nullif(max(all_order_lines_12m), 0)
            as lost_share,
        max(case when is_lost = 1 and lost_rank = 1 then product_category end)
            as lost_category,
        max(case when is_lost = 1 and lost_rank = 1 then last_order_date end)
            as last_order_date,
        max(case when is_lost = 1 and lost_rank = 1 then usual_days end)
            as usual_days,
        max(case when is_lost = 1 and lost_rank = 1 then missed_date end)
            as missed_date
    from judged
    group by customer_id
)

select * from compared
