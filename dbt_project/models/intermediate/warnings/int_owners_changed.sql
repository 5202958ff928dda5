{#- The systems hold today's owner only; who made the contacts is dated. -#}
with
activities as (select * from {{ ref('int_activities_counted') }}),
accounts as (select * from {{ ref('int_accounts_matched') }}),
policy as (select * from {{ ref('int_policies_selected') }}),
rules as (select * from {{ ref('int_warning_rules_selected') }}),

contacts as (
    select
        accounts.customer_id,
        activities.owner_id,
        activities.took_place_date,
        row_number() over (
            partition by accounts.customer_id
            order by activities.took_place_at desc, activities.activity_id desc
        ) as contacts_back
    from activities
    inner join accounts on activities.account_id = accounts.account_id
    inner join policy
        on
            activities.took_place_date <= policy.business_date
            and activities.took_place_date > policy.loyalty_start_date
    where
        accounts.customer_id is not null
        and activities.owner_id is not null
),

newest as (
    select
        customer_id,
        owner_id
    from contacts
    where contacts_back = 1
),

before as (
    select
        contacts.customer_id,
        newest.owner_id,
        min(contacts.contacts_back) as contacts_back,
        count(*) as contacts_before
    from contacts
    inner join newest
        on
            contacts.customer_id = newest.customer_id
            and contacts.owner_id <> newest.owner_id
    group by contacts.customer_id, newest.owner_id
),

changed as (
    select
        before.customer_id,
        'owner_change' as signal,
        contacts.took_place_date as since,
        before.contacts_before as baseline_value,
        contacts.contacts_back as current_value,
        'contacts_by_the_owner' as value_unit,
        1.0 as severity,
        1.0 as exposed_share,
        before.owner_id as subject,
        contacts.took_place_date as subject_date
    from before
    inner join contacts
        on
            before.customer_id = contacts.customer_id
            and before.contacts_back - 1 = contacts.contacts_back
    cross join policy
    inner join rules
        on
            rules.signal = 'owner_change'
            and before.contacts_before >= rules.minimum_count
            and {{ dbt.datediff(
                'contacts.took_place_date', 'policy.business_date', 'day'
            ) }} < rules.threshold
)

select * from changed
