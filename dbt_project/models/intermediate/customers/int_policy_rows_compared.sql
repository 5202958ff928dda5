{#- What an edit of the leading policy changed: its rows, against those of the newest earlier
    night of the same policy that had another version. -#}
with
gathered as (
    select * from {{ ref('int_policy_rows_gathered') }}
    where role = 'leading'
),

published as (select * from {{ ref('int_policies_superseded') }}),

{# Without an earlier version nothing is new. #}
rows_now as (
    select gathered.*
    from gathered
    where gathered.policy_id in (select published.policy_id from published)
),

compared as (
    select
        coalesce(rows_now.policy_id, published.policy_id) as policy_id,
        coalesce(rows_now.seed, published.seed) as seed,
        coalesce(rows_now.row_key, published.row_key) as row_key,
        published.row_values as values_before,
        rows_now.row_values as values_now,
        coalesce(rows_now.seed, published.seed) = 'tier_policies' and (
            {% for column in [
                'measured_as', 'rollup_level', 'window_months', 'loyalty_months',
                'loyalty_minimum_orders'
            ] -%}
                {{ 'or ' if not loop.first -}}
                coalesce({{ published_value('rows_now', column, 'text') }}, '')
                <> coalesce({{ published_value('published', column, 'text') }}, '')
            {% endfor -%}
        ) as is_measuring
    from rows_now
    full outer join published
        on
            rows_now.policy_id = published.policy_id
            and rows_now.seed = published.seed
            and rows_now.row_key = published.row_key
    where coalesce(rows_now.row_values, '') <> coalesce(published.row_values, '')
)

select * from compared
