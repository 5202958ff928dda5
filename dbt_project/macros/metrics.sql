{# What a policy may weigh, and the column it is measured in. Loyalty is a score; the
   others are scored by their percent rank. #}
{% macro score_components() -%}
    {{ return({
        'contribution': 'contribution_12m',
        'net_revenue': 'net_revenue_12m',
        'cm1': 'cm1_12m',
        'orders': 'orders_12m',
        'loyalty': 'loyalty_index',
    }) }}
{%- endmacro %}


{# What the receipts keep of a customer, so that any policy can judge it again. #}
{% macro kept_metrics() -%}
    {{ return(
        ['first_sale_date', 'orders', 'is_merged', 'risk_flag', 'loyalty_index'] + money_metrics()
    ) }}
{%- endmacro %}


{# What receipts keep besides, since some version, and what stood for it before: a type and the
   value that older receipts were decided with. #}
{% macro metrics_kept_since() -%}
    {{ return({
        'orders_12m': ('integer', 'orders'),
        'data_confidence': ('numeric(5, 4)', 'null'),
    }) }}
{%- endmacro %}


{# Those as they can be read from the receipts there are. #}
{% macro kept_or_earlier() -%}
    {%- set receipts = adapter.get_relation(
        database=target.database, schema='bi', identifier='tier_decision'
    ) if execute -%}
    {%- set there = adapter.get_columns_in_relation(receipts)
        | map(attribute='name') | list if receipts else [] -%}
    {%- set columns = [] -%}
    {%- for column, (data_type, earlier) in metrics_kept_since().items() -%}
        {%- set value = earlier -%}
        {%- if column in there -%}
            {%- set value = 'coalesce(' ~ column ~ ', ' ~ earlier ~ ')' -%}
        {%- endif -%}
        {%- do columns.append('cast(' ~ value ~ ' as ' ~ data_type ~ ') as ' ~ column) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}


{# 1 if the customer, or those above it, meet a bound of a cut, else 0. #}
{% macro meets_cut(customer, bound) -%}
    case
            when
                (
                    cuts.axis = 'customer_share'
                    and {{ customer }}.customer_share_above < {{ bound }}
                )
                or (
                    cuts.axis = 'profit_share'
                    and {{ customer }}.profit_share_above < {{ bound }}
                )
                or (cuts.axis = 'score' and {{ customer }}.tier_score >= {{ bound }})
                or (
                    cuts.axis = 'contribution'
                    and {{ customer }}.contribution_12m >= {{ bound }}
                )
                or (
                    cuts.axis = 'net_revenue'
                    and {{ customer }}.net_revenue_12m >= {{ bound }}
                )
                then 1
            else 0
        end
{%- endmacro %}


{# The score where it meets a bound of a cut by shares or scores; none of a cut by amounts. #}
{% macro score_at_bound(bound) -%}
    case
            when
                (cuts.axis = 'customer_share' and scores.customer_share_above < {{ bound }})
                or (cuts.axis = 'profit_share' and scores.profit_share_above < {{ bound }})
                then scores.tier_score
            when cuts.axis = 'score' then ceil({{ bound }})
        end
{%- endmacro %}


{# The amounts of a receipt, the lines of the P&L and their balance. #}
{% macro money_metrics() -%}
    {{ return([
        'contribution_12m', 'net_revenue_12m', 'returns_12m', 'cogs_12m', 'freight_12m',
        'cost_to_serve_12m', 'financing_12m', 'bad_debt_12m'
    ]) }}
{%- endmacro %}


{% macro component_metric(weights, customers) -%}
    case {{ weights }}.component
    {%- for component, column in score_components().items() %}
            when '{{ component }}' then cast({{ customers }}.{{ column }} as numeric(20, 4))
    {%- endfor %}
        end
{%- endmacro %}


{# Hundredths of the weighted mean of component scores; one without data gives its weight
   to the others. #}
{% macro weighted_score() -%}
    cast(
            round(
                100 * coalesce(
                    sum(weight * score)
                    / nullif(sum(case when score is not null then weight end), 0),
                    0
                ),
                0
            ) as integer
        )
{%- endmacro %}


{# The percent rank of tonight's amount among the other customers of the night before. #}
{% macro percent_rank_without_self() -%}
    cast(
                coalesce(
                    100.0 * (
                        customers_below
                        - case when own_metric_before < metric then 1 else 0 end
                    ) / nullif(
                        customers_measured
                        - case when own_metric_before is null then 0 else 1 end,
                        0
                    ),
                    100
                ) as numeric(7, 4)
            )
{%- endmacro %}


{# Components of a score that one more euro earned moves. #}
{% macro money_components() -%}
    'contribution', 'net_revenue', 'cm1'
{%- endmacro %}


{# Early warnings that a competitor courting a customer would cause. #}
{% macro poaching_signals() -%}
    {{ return([
        "'category_loss'", "'shrinking_basket'", "'cadence_lapse'", "'price_anomaly'",
        "'open_complaint'",
    ]) }}
{%- endmacro %}


{# Lines of the roll-forward: name, the moves that count in it, and the money they count with. #}
{% macro rollforward() -%}
    {%- set now, before = 'contribution_now', 'contribution_before' -%}
    {{ return([
        ('opening', "'kept', 'lost', 'exited'", before),
        ('won', "'won'", now),
        ('reactivated', "'reactivated'", now),
        ('lost', "'lost'", before),
        ('exited', "'exited'", before),
        ('kept', "'kept'", now ~ ' - ' ~ before),
        ('closing', "'kept', 'won', 'reactivated'", now),
    ]) }}
{%- endmacro %}


{# Years for which a customer's value counts; at usual shares kept, later ones add little. #}
{% macro asset_years() -%}
    {{ return(5) }}
{%- endmacro %}
