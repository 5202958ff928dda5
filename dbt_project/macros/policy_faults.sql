{# Rows of the policy seeds that cannot decide anything: one row per fault, in words. #}
{% macro policy_faults() -%}
    {%- set axes = ['customer_share', 'profit_share', 'score', 'contribution', 'net_revenue'] -%}
    {#- Overrides and days are those of what is published, not of a policy that is tried. -#}
    {%- set tonight_only = 'false and ' if is_replay() else '' -%}
    {%- set components = score_components().keys() | list -%}
    with

    policy_rows as (select * from {{ ref('tier_policies') }}),

    {# Every day on which a row of a policy begins to hold: the rows of each must be sound. #}
    begun as (
        {{ days_begun(['tier_policies'] + engine_seeds().keys() | list + ['loyalty_weights']) }}
    ),

    days as (
        select distinct
            begun.policy_id,
            greatest(begun.day, coalesce(firsts.first_day, begun.day)) as day
        from begun
        left join (
            select
                policy_id,
                min(valid_from) as first_day
            from policy_rows
            group by policy_id
        ) as firsts on begun.policy_id = firsts.policy_id
    ),

    policies as ({{ rows_of_days('tier_policies', []) }}),

    ladder as (
        select
            *,
            max(tier_rank) over (partition by policy_id, day) as lowest_rank,
            row_number() over (partition by policy_id, day order by tier_rank) as step,
            count(*) over (partition by policy_id, day, tier) as same_tier
        from ({{ rows_of_days('tier_ladder', ['tier']) }}) as tiers
        where tier_rank is not null
    ),

    weights as (
        select
            *,
            sum(weight) over (partition by policy_id, day) as weight_sum,
            count(*) over (partition by policy_id, day, component) as same_component
        from ({{ rows_of_days('score_weights', ['component']) }}) as components
    ),

    loyalties as (
        select
            *,
            sum(weight) over (partition by policy_id, day) as weight_sum
        from ({{ rows_of_days('loyalty_weights', ['component']) }}) as components
    ),

    {# Shares grow as tiers get worse, values shrink; with the sign turned, all grow. #}
    cuts as (
        select
            tier_cuts.*,
            ladder.tier_rank,
            ladder.lowest_rank,
            case when axis in ('customer_share', 'profit_share') then 1 else -1 end as sign,
            count(*) over (
                partition by tier_cuts.policy_id, tier_cuts.day, tier_cuts.tier, axis
            ) as same_cut
        from ({{ rows_of_days('tier_cuts', ['tier', 'axis']) }}) as tier_cuts
        left join ladder
            on
                tier_cuts.policy_id = ladder.policy_id
                and tier_cuts.day = ladder.day
                and tier_cuts.tier = ladder.tier
        where coalesce(enter_at, cut_at, exit_at) is not null
    ),

    steps as (
        select
            *,
            lag(sign * enter_at) over better as better_enter,
            lag(sign * cut_at) over better as better_cut,
            lag(sign * exit_at) over better as better_exit
        from cuts
        window better as (partition by policy_id, day, axis order by tier_rank)
    ),

    graces as (
        select
            *,
            count(*) over (partition by policy_id, day, warning_code) as same_code
        from ({{ rows_of_days('grace_rules', ['warning_code']) }}) as graces_of_days
        where nights is not null
    ),

    overrides as (
        select * from {{ ref('tier_overrides') }}
        union all
        select
            *,
            '{{ var("source") }}' as source
        from {{ ref('stg_ops__tier_overrides') }}
    ),

    faults as (

        {{ faults_of('policies', 'tier_policies', "'role ' || role", [
            ("role not in ('leading', 'beside', 'offered')", 'role is leading, beside or offered'),
            ("coalesce(rollup_level, '') not in ('customer', 'group')", 'rollup_level is customer or group'),
            ('window_months < 1 or loyalty_months < 1', 'windows last at least a month'),
            ('confirm_up_nights < 1 or confirm_down_nights < 1', 'a change needs at least one night'),
            ('dwell_days < 0 or minimum_tenure_months < 0 or minimum_orders < 0',
             'days, months and orders are not negative'),
            ('steps_down < 1', 'a fall goes down at least one tier'),
            ('borderline_below is null or borderline_below < 0 or borderline_below > 1',
             'borderline_below lies between 0 and 1'),
            ('minimum_customers_ranked < 1', 'at least one customer is ranked'),
            ('measured_as not in (select policy_id from policy_rows)', 'measured_as names no policy'),
            ('not exists (select 1 from weights where weights.policy_id = faulty.policy_id and weights.day = faulty.day)',
             'it has no score_weights'),
            ('not exists (select 1 from ladder where ladder.policy_id = faulty.policy_id and ladder.day = faulty.day)',
             'it has no tier_ladder'),
            ('minimum_data_confidence < 0 or minimum_data_confidence > 1',
             'minimum_data_confidence lies between 0 and 1'),
            (tonight_only ~ leads('faulty') ~ ' and not exists (select 1 from policy_rows where '
             ~ leads('policy_rows') ~ ' and valid_from <= ' ~ business_date() ~ ')',
             'it leads, but from a later day on, and none does so before'),
        ]) }}
        union all
        {{ faults_of('weights', 'score_weights', "'component ' || component", [
            ("component not in ('" ~ components | join("', '") ~ "')",
             'unknown component; there are ' ~ components | join(', ')),
            ('weight is null or weight < 0 or weight > 1', 'a weight lies between 0 and 1; 0 counts no more'),
            ('weight_sum <> 1', 'the weights of a policy sum to 1'),
            ('same_component > 1', 'a component counts once'),
        ]) }}
        union all
        {{ faults_of('loyalties', 'loyalty_weights', "'component ' || component", [
            ('weight is null or weight < 0', 'a weight is not below 0'),
            ('weight_sum <> 1', 'the weights of a policy sum to 1'),
        ]) }}
        union all
        {{ faults_of('ladder', 'tier_ladder', "'tier ' || tier", [
            ('tier_rank <> step', 'ranks are 1, 2, 3 ... without a gap or a repetition'),
            ("tier = 'new'", 'new is no tier of a ladder'),
            ('review_months < 1', 'a review comes after a month or later, or never (empty)'),
            ('same_tier > 1', 'a tier stands once on a ladder'),
            ("value_class not in ('high', 'regular', 'low')", 'value_class is high, regular, low or empty'),
            ("coalesce(name_en, '') = '' or coalesce(name_zh, '') = ''", 'a tier has a name in both languages'),
            ("tier_rank < lowest_rank and not exists (select 1 from cuts where cuts.policy_id ="
             ~ " faulty.policy_id and cuts.day = faulty.day and cuts.tier = faulty.tier)", 'every tier but the lowest has a cut'),
            ("tier_rank = 1 and 1 <> (select sum(case when caps.best_if_negative then 1 else 0 end) from"
             ~ " ladder as caps where caps.policy_id = faulty.policy_id and caps.day = faulty.day)", 'best_if_negative is true once'),
            ("tier_rank = 1 and 1 <> (select sum(case when caps.best_if_risk then 1 else 0 end) from"
             ~ " ladder as caps where caps.policy_id = faulty.policy_id and caps.day = faulty.day)", 'best_if_risk is true once'),
            ("tier_rank = 1 and 1 <> (select sum(case when caps.given_if_few then 1 else 0 end) from"
             ~ " ladder as caps where caps.policy_id = faulty.policy_id and caps.day = faulty.day)", 'given_if_few is true once'),
        ]) }}
        union all
        {{ faults_of('steps', 'tier_cuts', "'tier ' || tier || ', axis ' || axis", [
            ("axis not in ('" ~ axes | join("', '") ~ "')", 'unknown axis; there are ' ~ axes | join(', ')),
            ('tier_rank is null', 'the tier is not on the ladder of its policy'),
            ('tier_rank = lowest_rank', 'the lowest tier takes all the others and has no cut'),
            ('same_cut > 1', 'a tier has one cut on an axis'),
            ('sign = 1 and (enter_at <= 0 or exit_at > 1)', 'shares lie above 0 and up to 1'),
            ('sign * enter_at > sign * cut_at or sign * cut_at > sign * exit_at',
             'it must be harder to enter a tier than to stay: enter_at, cut_at, exit_at are out of order'),
            ('sign * cut_at <= better_cut or sign * enter_at <= better_enter or sign * exit_at <= better_exit',
             'it does not reach further than the tier above'),
            ('better_exit > sign * cut_at', 'exit_at of the tier above reaches over this cut'),
            ('enter_at is null or cut_at is null or exit_at is null', 'it has three bounds, or none where it is taken back'),
            ("axis in ('contribution', 'net_revenue') and coalesce(currency, '" ~ var('base_currency') ~ "') <> '"
             ~ var('base_currency') ~ "' and exists (select 1 from policies where policies.policy_id ="
             ~ " faulty.policy_id and policies.day = faulty.day and (" ~ leads('policies')
             ~ " or policies.role = 'beside'))",
             'its amount is in another currency than the base currency ' ~ var('base_currency')
             ~ '; give the company a policy with amounts of its own'),
            ("axis not in ('contribution', 'net_revenue') and currency is not null",
             'a share or a score has no currency'),
        ]) }}
        union all
        {{ faults_of('graces', 'grace_rules', "'warning ' || warning_code", [
            ("warning_code not in ('" ~ warning_codes() | join("', '") ~ "')",
             'unknown warning; there are ' ~ warning_codes() | join(', ')),
            ('policy_id not in (select policy_id from policy_rows)', 'there is no such policy'),
            ('nights < 1', 'a grace lasts at least a night; empty takes it back'),
            ('same_code > 1', 'a warning has one grace'),
        ]) }}
        union all
        {{ faults_of('overrides', 'tier_overrides', "'customer ' || customer_id", [
            ('valid_until is null or valid_from is null or valid_until < valid_from',
             'an override has a first and a last day'),
            ("coalesce(reason, '') = '' or coalesce(approver, '') = ''", 'an override has a reason and an approver'),
            (tonight_only ~ "source is null", 'it names no source: whose customer is it?'),
            (tonight_only ~ "coalesce(source, '" ~ var('source') ~ "') = '" ~ var('source') ~ "' and tier not in"
             ~ " (select ladder.tier from ladder inner join policy_rows on ladder.policy_id ="
             ~ " policy_rows.policy_id where " ~ leads('policy_rows') ~ ")", 'the tier is on no leading ladder'),
        ]) }}

    )

    select distinct place, fault
    from faults
{%- endmacro %}


{# One select per rule over a relation: where the row stands and what is wrong with it. #}
{% macro faults_of(relation, seed, row, rules) -%}
    {%- set policy = "" if relation == 'overrides' else " || 'policy ' || policy_id || ', '" -%}
    {% for condition, fault in rules -%}
        select
            '{{ seed }}.csv, '{{ policy }} || {{ row }} as place,
            '{{ fault }}' as fault
        from {{ relation }} as faulty
        where {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}


{# Signals and causes of early_warning. #}
{% macro warning_codes() -%}
    {{ return([
        'cadence_lapse', 'category_loss', 'shrinking_basket', 'price_anomaly', 'return_anomaly',
        'open_complaint', 'late_payment', 'owner_change', 'poaching', 'unresolved_complaint',
        'supply_failure', 'insourcing', 'contraction'
    ]) }}
{%- endmacro %}


{# The rows of a seed as each day of a policy finds them; two of one key and day are two. #}
{% macro rows_of_days(seed, key) -%}
    select *
    from (
        select
            seed_rows.*,
            days.day,
            rank() over (
                partition by seed_rows.policy_id, days.day {{- ', ' if key }}{{ key | join(', ') }}
                order by coalesce(seed_rows.valid_from, cast('0001-01-01' as date)) desc
            ) as newest_first
        from {{ ref(seed) }} as seed_rows
        inner join days
            on
                seed_rows.policy_id = days.policy_id
                and days.day >= coalesce(seed_rows.valid_from, cast('0001-01-01' as date))
    ) as rows_of_day
    where newest_first = 1
{%- endmacro %}


{% macro days_begun(seeds) -%}
    {%- set selects = [] -%}
    {%- for seed in seeds -%}
        {%- do selects.append(
            "select policy_id, coalesce(valid_from, cast('0001-01-01' as date)) as day from "
            ~ ref(seed)
        ) -%}
    {%- endfor -%}
    {{ return(selects | join(' union all ')) }}
{%- endmacro %}
