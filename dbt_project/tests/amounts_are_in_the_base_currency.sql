{{ config(severity='warn') }}
{#- Lines and flags that a company lacks because no amount of the seeds is in its currency. -#}
{%- set lacking -%}
    {% for seed, column, what in [
        ('cost_rates', 'rate', 'cost_to_serve is missing'),
        ('risk_rules', 'coalesce(minimum_overdue_amount, minimum_loss)',
         'no risk flag is raised by an amount'),
        ('ledger_limits', 'maximum_difference_amount',
         'the ledger may differ by half a cent per line, or by the share'),
    ] -%}
        select
            '{{ seed }}' as seed,
            '{{ what }}' as consequence
        from {{ ref(seed) }}
        where
            {{ column }} is not null
            and coalesce(source, '') in ('', '{{ var("source") }}')
        having sum(case when currency = '{{ var("base_currency") }}' then 1 else 0 end) = 0
        {{ 'union all' if not loop.last }}
    {% endfor -%}
{%- endset -%}

{{ list_lacking_amounts(lacking) }}

{{ lacking }}
