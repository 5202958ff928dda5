-- {{ source('bi', 'match_review') }} is absent before the first night
with
match_reviews as (
    {{ published_or_empty('match_review', {
        'pair_kind': 'text',
        'record_id': 'text',
        'customer_id': 'text',
        'waiting_since': 'date',
    }) }}
)

select *
from match_reviews
where waiting_since <= {{ business_date() }}
