{# Follows merged_into_id to the record that is left: each id with its survivor's id.
   A target that does not exist, or a circle of merges, leaves a record as it is. #}
{% macro resolve_merges(relation, id) -%}
    with recursive records as (

        select
            {{ id }} as record_id,
            nullif(merged_into_id, {{ id }}) as merged_into_id

        from {{ relation }}

    ),

    survivors as (

        select
            records.record_id,
            records.record_id as survivor_id

        from records

        left join records as targets on records.merged_into_id = targets.record_id

        where targets.record_id is null

        union all

        select
            records.record_id,
            survivors.survivor_id

        from records

        inner join survivors on records.merged_into_id = survivors.record_id

    )

    select
        records.record_id,
        coalesce(survivors.survivor_id, records.record_id) as survivor_id

    from records

    left join survivors on records.record_id = survivors.record_id
{%- endmacro %}
