with
accounts as (select * from {{ ref('int_accounts_matched') }}),
surveys as (select * from {{ ref('stg_crm__surveys') }}),
cases as (select * from {{ ref('stg_crm__cases') }}),
activities as (select * from {{ ref('int_activities_counted') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
loyalty_weights as (
    {{ newest_rows(ref('loyalty_weights'), ['policy_id', 'component'], business_date()) }}
),

asked as (
    select
        accounts.customer_id,
        count(*) as surveys_sent,
        sum(case
            when surveys.answered_date <= policy.business_date then 1 else 0
        end) as surveys_answered
    from surveys
    inner join accounts on surveys.account_id = accounts.account_id
    inner join policy
        on
            surveys.sent_date > policy.window_start_date
            and surveys.sent_date <= policy.business_date
    group by accounts.customer_id
),

contacts as (
    select
        account_id,
        took_place_date as day
    from activities
    where activity_kind = 'meeting'

    union all

    select
        account_id,
        opened_date as day
    from cases
    where case_kind = 'suggestion'
),

engaged as (
    select
        accounts.customer_id,
        count(*) as contacts
    from contacts
    inner join accounts on contacts.account_id = accounts.account_id
    inner join policy
        on
            contacts.day > policy.window_start_date
            and contacts.day <= policy.business_date
    group by accounts.customer_id
),

{# Where nobody is met or listened to by the books, the books say nothing of anybody. #}
full_engagement as (
    select max(loyalty_weights.full_at) as contacts
    from loyalty_weights
    inner join policy on loyalty_weights.policy_id = policy.policy_id
    where
        loyalty_weights.component = 'cooperation'
        and exists (select 1 from engaged)
),

customers as (
    select distinct customer_id
    from accounts
    where customer_id is not null
),

shares as (
    select
        customers.customer_id,
        1.0 * asked.surveys_answered / asked.surveys_sent as answered_share,
        case
            when coalesce(engaged.contacts, 0) >= full_engagement.contacts then 1
            else 1.0 * coalesce(engaged.contacts, 0) / full_engagement.contacts
        end as engaged_share
    from customers
    cross join full_engagement
    left join asked on customers.customer_id = asked.customer_id
    left join engaged on customers.customer_id = engaged.customer_id
),

measured as (
    select
        customer_id,
        cast(
            coalesce(
                (answered_share + engaged_share) / 2, answered_share, engaged_share
            ) as numeric(7, 6)
        ) as cooperation
    from shares
)

select * from measured
