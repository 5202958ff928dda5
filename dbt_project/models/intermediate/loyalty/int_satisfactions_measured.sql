with
surveys as (select * from {{ ref('stg_crm__surveys') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),

answers as (
    select
        accounts.customer_id,
        case
            when surveys.survey_kind = 'csat' then (surveys.score - 1) / 4.0
            when surveys.survey_kind = 'nps' then surveys.score / 10.0
        end as satisfaction,
        {# Bad word of mouth does more than good: a detractor counts as two promoters. #}
        case
            when surveys.survey_kind <> 'nps' then null
            when surveys.score >= 9 then 1
            when surveys.score <= 6 then -2
            else 0
        end as word_of_mouth
    from surveys
    inner join accounts on surveys.account_id = accounts.account_id
    inner join policy
        on
            surveys.answered_date > policy.window_start_date
            and surveys.answered_date <= policy.business_date
    where accounts.customer_id is not null
),

measured as (
    select
        customer_id,
        cast(least(1, greatest(0, avg(satisfaction))) as numeric(7, 6))
            as satisfaction,
        cast((avg(word_of_mouth) + 2) / 3 as numeric(7, 6)) as word_of_mouth
    from answers
    where satisfaction is not null
    group by customer_id
)

select * from measured
