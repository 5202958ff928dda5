{# A broken policy is refused with the row that breaks it. Raised rather than counted,
   because whoever edits a seed must read which row, and `Got 2 results` does not say. #}
{% test policies_are_sound(model) -%}
    {%- set query = policy_faults() -%}
    {%- set ordered = query ~ ' order by place, fault' -%}
    {%- set faults = run_query(ordered).rows if execute else [] -%}
    {%- if faults | length -%}
        {%- do exceptions.raise_compiler_error(
            'source ' ~ var('source') ~ ', ' ~ faults[0][0] ~ ': ' ~ faults[0][1]
            ~ (' (and ' ~ (faults | length - 1) ~ ' more faults)' if faults | length > 1 else '')
            ~ '; correct the row in dbt_project/seeds and run the night again'
        ) -%}
    {%- endif -%}
    select *
    from {{ model }}
    where false
{%- endtest %}
