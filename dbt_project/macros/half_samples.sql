{# Eleven halves of the twelve months of a year: rows of a Plackett-Burman design, which are
   circular shifts of one row; December is in none. With their complements each month is in 11
   of 22 and each pair of months in 5, the same shares as in all 924 halves that there are;
   so the mean and the spread of these 22 are those of all. Source: Plackett and Burman,
   Biometrika 33 (1946), 305-325; half-samples: McCarthy, "Pseudo-replication" (1969). #}
{% macro half_samples() -%}
    {%- set first = [1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0] -%}
    {%- set halves = [] -%}
    {%- for shift in range(11) -%}
        {%- set months = [] -%}
        {%- for month in range(11) if first[(month - shift) % 11] -%}
            {%- do months.append(month + 1) -%}
        {%- endfor -%}
        {%- do halves.append(months) -%}
    {%- endfor -%}
    {{ return(halves) }}
{%- endmacro %}


{# In how many of the half-samples, and of those of the other months, a customer stays in its
   tier: its money changes by less than it may lose, and than wins it the next one. #}
{% macro samples_that_stay(resampled) -%}
    {%- set terms = [] -%}
    {%- for sample in half_samples() -%}
        {%- set change = 'coalesce(' ~ resampled ~ '.change_' ~ loop.index ~ ', 0)' -%}
        {%- for amount in [change, '-' ~ change] -%}
            {%- do terms.append(
                'case when ' ~ amount ~ ' < -amount_to_keep or ' ~ amount
                ~ ' >= amount_to_rise then 0 else 1 end'
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ terms | join('\n        + ') }}
{%- endmacro %}
