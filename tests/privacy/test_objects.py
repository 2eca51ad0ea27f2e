"""Members of objects written out in text are judged with their names, and everything else stays verbatim."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.objects import strip_members


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ('{"password":"hunter2","step":3}', '{"password":"{password}","step":3}'),
        ('{ "password" : "hun ter2",\n "step": 3 }', '{ "password" : "{password}",\n "step": 3 }'),
        ('{\\"password\\":\\"hunter2\\",\\"n\\":1}', '{\\"password\\":\\"{password}\\",\\"n\\":1}'),
        ('{"body":"{\\"token\\":\\"x y\\"}","n":1}', '{"body":"{\\"token\\":\\"{token}\\"}","n":1}'),
        ('{"ssn":830869503,"ok":true}', '{"ssn":{national_id},"ok":true}'),
        ('{"a":{"b":"can\'t","password":"cut o', '{"a":{"b":"can\'t","password":"{password}'),
        ('{"card":{"number":"4111222233334444","brand":"visa"}}', '{"card":{"number":"{card}","brand":"visa"}}'),
        ('{"name":{"first":"Jane","last":"Doe"},"n":1}', '{"name":{"first":"{name}","last":"{name}"},"n":1}'),
        ('{"address":{"city":"Ulm","country":"DE"}}', '{"address":{"city":"{address}","country":"DE"}}'),
        ('{"user":{"id":"8812","roles":["admin"]}}', '{"user":{"id":"{user}","roles":["admin"]}}'),
        ('{"emails":["jane","joe b"],"tokens":5}', '{"emails":["{email}","{email}"],"tokens":5}'),
        ('{"coordinates":[2.35221,48.85661]}', '{"coordinates":[{geo},{geo}]}'),
        ('[{"key":"user.mail","value":{"string":"jane"}}]', '[{"key":"user.mail","value":{"string":"{email}"}}]'),
        ('[{"value":"hunter2","name":"password"}]', '[{"value":"{password}","name":"password"}]'),
        ('{"users":[{"email":"a"},{"name":"Ann"}]}', '{"users":[{"email":"{email}"},{"name":"{user}"}]}'),
        ('{"straße":"Weg 5","имя":"Анна"}', '{"straße":"{address}","имя":"{name}"}'),
        ("{'password': 'x y', 'ok': True}", "{'password': '{password}', 'ok': True}"),
        ("props={displayName: 'Zoé Lefèvre', isAdmin: false}", "props={displayName: '{name}', isAdmin: false}"),
        ('{:password=>"abc", :id=>5}', '{:password=>"{password}", :id=>5}'),
        ('{"user"=>{"first_name"=>"Zoe"}, "commit"=>"Save"}', '{"user"=>{"first_name"=>"{name}"}, "commit"=>"Save"}'),
        ("array ( 'password' => 'x1', 'page' => 2 )", "array ( 'password' => '{password}', 'page' => 2 )"),
        ("{password=hunter 2, state=CA}", "{password={password}, state=CA}"),
        ("User(id=5123, name=Jane Doe, status=open)", "User(id={user}, name={name}, status=open)"),
        ('login(user="jane", remember=True)', 'login(user="{user}", remember=True)'),
        (
            'mutation AddCard { addCard(number: "4716108999716531", cvc: "404") { last4 } }',
            'mutation AddCard { addCard(number: "{card}", cvc: "{card}") { last4 } }',
        ),
        (
            '{"query":"mutation($pw: String!) { login(pw: \\"p w\\") { id } }","variables":{"pw":"x"}}',
            '{"query":"mutation($pw: String!) { login(pw: \\"{password}\\") { id } }","variables":{"pw":"{password}"}}',
        ),
    ],
)  # fmt: skip
def test_values_of_telling_members_go(text: str, stripped: str) -> None:
    assert strip_members(text) == stripped
    assert strip_members(f"sent {text} twice").startswith(f"sent {stripped}")
    assert strip_members(stripped) == stripped


@pytest.mark.parametrize(
    "text",
    [
        '{"password":null,"email":"","token_type":"Bearer","expires_in":3600}',
        '{"code":"ERR_NETWORK","state":"open","name":"AxiosError","key":"items"}',
        '{"errors":[{"field":"password","message":"is too short"}]}',
        '{"type":"input","name":"email","id":"login-email"}',
        '{"password":{"min":8,"max":64},"email":{"count":3}}',
        '{"email":"{email:0123456789abcdef0123}","lat":{geo}}',
        "query Search($email: String!) { user(email: $email, sort: PRICE_DESC, first: 10) { id email name } }",
        "Route{name=Checkout, path=/checkout, params={id=17}}",
        "TypeError: Cannot read properties of undefined (reading 'email')",
        "can't log in (user is locked), it's the password",
        "useState(null) (code=404, state=open)",
        "at Login.render (app.js:10:5)",
        "{{{[[[(((",
        "",
    ],
)
def test_what_tells_nothing_stays_the_same_object(text: str) -> None:
    assert strip_members(text) is text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.text(min_size=1).filter(str.strip), st.integers(0, 3))
def test_a_password_goes_wherever_it_stands_in_json_and_the_rest_stays_json(
    value: Any, secret: str, escapes: int
) -> None:
    secret = "s3cret " + secret
    text = json.dumps({"outer": [value, {"password": secret, "other": value}]})
    harmless = strip_members(json.dumps({"outer": [value, {"password": None, "other": value}]}))
    for _ in range(escapes):
        text, harmless = json.dumps({"body": text}), json.dumps({"body": harmless})
    stripped = strip_members(text)
    for _ in range(escapes):
        stripped, harmless = json.loads(stripped)["body"], json.loads(harmless)["body"]
    assert '"password": "{password}"' in stripped
    assert stripped.replace('"password": "{password}"', '"password": null') == harmless


@given(st.text("{}[](),:=\\\"'ab1 $`\n", max_size=60))
def test_any_tangle_of_brackets_and_quotes_settles_at_once(tangle: str) -> None:
    once = strip_members("{password: " + tangle)
    assert strip_members(once) == once
