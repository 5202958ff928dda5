{# Each row of a seed keeps the rules, its key is there once, and each version holds all
   the values it must; a fault names the row. A rule may use window functions. #}
{% test rows_are_sound(
    model, key, rules, version=none, each_of=none, values=[], spelling=none
) -%}
    {%- set checks = [
        ('count(*) over (partition by faulty_row) = 1', 'is there twice')
    ] -%}
    {%- if spelling -%}
        {%- do checks.append((
            'count(*) over (partition by ' ~ spelling_key(spelling) ~ ') = 1',
            'is spelt like another row'
        )) -%}
    {%- endif -%}
    {%- for rule in rules -%}
        {%- do checks.append((rule.holds, rule.fault)) -%}
    {%- endfor -%}

    {{ name_faulty_rows(
        faulty_rows(model, key, checks)
        ~ missing_rows(model, version, each_of, values),
        model.identifier
    ) }}

{%- endtest %}
