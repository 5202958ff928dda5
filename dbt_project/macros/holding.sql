{# One step of a tier from the night before to this one. Tiers are held against noise: a
   better tier must be entered, and a held one left, by a margin, for some nights in a row,
   and not soon after the last change; a fall goes down step by step, and waits longer where
   the cause lies with us. What a loss or a risk flag forbids is left at once. Nobody falls on
   figures that lack too much.

   `rows` are those of int_tiers_judged, with the state of the night before in columns that
   begin with before_ (all empty if there is none). The innermost select comes first. #}
{% macro hold_tiers(rows) -%}
    select
        *,
        case
            when rule in ('new', 'small_population') or starts_over then null
            when tier_rank <> before_tier_rank then business_date
            else before_changed_on
        end as changed_on,
        case when {{ waits() }} then wanted_direction end as pending_direction,
        case
            when rule = 'held_weak_data' then wanted_nights - 1
            when {{ waits() }} then wanted_nights
            else 0
        end as pending_nights
    from (
        select
            *,
            case
                when rule = 'new' then null
                when rule = 'small_population' then few_rank
                when rule like 'held%' then before_tier_rank
                when rule = 'stepped_down' then before_tier_rank + steps_down
                when is_forbidden then cap_rank
                else wanted_rank
            end as tier_rank
        from (
            select
                *,
                {{ holding_rule() }} as rule
            from (
                select
                    *,
                    case
                        when wanted_direction is null then 0
                        when wanted_direction = before_pending_direction
                            then before_pending_nights + 1
                        else 1
                    end as wanted_nights,
                    {{ spell_begun() }} as spell_since
                from (
                    select
                        *,
                        case
                            when starts_over or wanted_rank = before_tier_rank then null
                            when wanted_rank < before_tier_rank then 'up'
                            else 'down'
                        end as wanted_direction
                    from (
                        select
                            *,
                            not starts_over and coalesce(cap_rank > before_tier_rank, false)
                                as is_forbidden,
                            case
                                when starts_over then capped_cut_rank
                                when capped_enter_rank < before_tier_rank
                                    then capped_enter_rank
                                when capped_exit_rank > before_tier_rank
                                    then capped_exit_rank
                                else before_tier_rank
                            end as wanted_rank
                        from ({{ rows }}) as judged
                    ) as aimed
                ) as directed
            ) as counted
        ) as ruled
    ) as placed
{%- endmacro %}


{% macro holding_rule() -%}
                case
                    when base_rule in ('new', 'small_population') then base_rule
                    {# A night of weak data confirms no fall; what is owed to us is known all the same. #}
                    when
                        wanted_direction = 'down'
                        and data_confidence < minimum_data_confidence
                        and not (is_forbidden and cap_rule = 'capped_risk')
                        then 'held_weak_data'
                    when is_forbidden then cap_rule
                    when
                        wanted_direction is null
                        and not starts_over
                        and wanted_rank <> capped_cut_rank
                        then 'held_band'
                    when
                        wanted_nights > 0
                        and {{ days_after('dwell_days', 'before_changed_on') }} > business_date
                        then 'held_dwell'
                    when
                        (
                            wanted_direction = 'up'
                            and wanted_nights < confirm_up_nights
                        )
                        or (
                            wanted_direction = 'down'
                            and wanted_nights < confirm_down_nights
                        )
                        then 'held_confirmation'
                    when
                        wanted_direction = 'down'
                        and wanted_nights < confirm_down_nights + grace_nights
                        then 'held_grace'
                    when
                        wanted_direction = 'down'
                        and wanted_rank - before_tier_rank > steps_down
                        then 'stepped_down'
                    when wanted_rank = cap_rank and cut_rank < cap_rank then cap_rule
                    else 'cut'
                end
{%- endmacro %}


{# The first night on which the figures reached another tier in this direction, without a break
   since. A fall in steps is one spell: what the first step left was wanted before it. #}
{% macro spell_begun() -%}
                    case
                        when
                            wanted_direction is null
                            or base_rule in ('new', 'small_population')
                            then null
                        when wanted_direction = before_pending_direction
                            then coalesce(
                                before_spell_since,
                                {{ days_after('-before_pending_nights', 'business_date') }}
                            )
                        when wanted_direction = 'down' and before_rule = 'stepped_down'
                            then coalesce(before_spell_since, business_date)
                        else business_date
                    end
{%- endmacro %}


{# A change is wanted, and its nights are counted. #}
{% macro waits() -%}
    rule in ('held_confirmation', 'held_dwell', 'held_grace', 'held_weak_data')
{%- endmacro %}


{# The state of a customer's tier that the next night must know. #}
{% macro state_columns() -%}
    {{ return([
        'policy_id', 'tier_rank', 'rule', 'changed_on', 'pending_direction', 'pending_nights',
        'spell_since'
    ]) }}
{%- endmacro %}


{# A tier is cut afresh, not held, where there is none to hold, or none of the same kind. Who
   comes back out of a merge is what it was before, though it is merged no less than split. #}
{% macro starts_over(judged, before, comes_back, tier_rank) -%}
    coalesce(
            {{ tier_rank }} is null
            or {{ before }}.policy_id <> {{ judged }}.remembered_policy_id
            or {{ before }}.rule = 'small_population'
            or ({{ judged }}.is_merged and not {{ comes_back }}),
            true
        )
{%- endmacro %}


{% macro next_night() -%}
        select
            judged.*,
            {% for column in state_columns() if column != 'tier_rank' -%}
    held.{{ column }} as before_{{ column }},
            {% endfor -%}
    ladders.tier_rank as before_tier_rank,
            {{ starts_over(
                'judged', 'held', '(held.night_number < judged.night_number - 1)',
                'ladders.tier_rank'
            ) }} as starts_over

        from held

        inner join judged
            on
                held.policy_id = judged.policy_id
                and held.customer_id = judged.customer_id
                and held.night_number = judged.night_number_before

        left join ladders as ladders_before
            on
                held.policy_id = ladders_before.policy_id
                and held.business_date = ladders_before.business_date
                and held.tier_rank = ladders_before.tier_rank

        left join ladders
            on
                judged.policy_id = ladders.policy_id
                and judged.business_date = ladders.business_date
                and ladders_before.tier = ladders.tier
{%- endmacro %}


{# Two changes in opposite directions, fewer than this many days apart, are a flap; also
   FLAP_DAYS of plugins/customer_tiers/settings.py. #}
{% macro flap_days() -%}
    180
{%- endmacro %}
