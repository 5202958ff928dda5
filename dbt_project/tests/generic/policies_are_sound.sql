{# A broken policy is refused with the rows that break it. Raised rather than counted,
   because whoever edits a seed must read which row, and `Got 2 results` does not say. #}
{% test policies_are_sound(model) -%}
    {%- set query = policy_faults() -%}
    {%- set ordered = query ~ ' order by place, fault' -%}
    {%- set faults = run_query(ordered).rows if execute else [] -%}
    {%- set lines = [] -%}
    {%- for fault in faults -%}
        {%- do lines.append(fault[0] ~ ': ' ~ fault[1]) -%}
    {%- endfor -%}
    {%- if lines -%}
        {%- do exceptions.raise_compiler_error(
            'source ' ~ var('source') ~ ', ' ~ lines[:9] | join('; ')
            ~ (' (and ' ~ (lines | length - 9) ~ ' more)' if lines | length > 9 else '')
            ~ '; correct the rows in dbt_project/seeds and run the night again'
        ) -%}
    {%- endif -%}
    select *
    from {{ model }}
    where false
{%- endtest %}
