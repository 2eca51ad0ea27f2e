"""Names of fields that tell what their values are, in the languages and dialects of client telemetry.

Each entry joins a mark with names and with the least a value must look like (`privacy.shapes`). `+` joins the words of
one name; case, `-`, `_`, `.` and camelCase humps do not matter. Sources: OAuth 2.0 and OpenID Connect (RFC 6749, 7636,
7662, OIDC Core), SAML 2.0 bindings, the signing documents of AWS, Google Cloud, Azure, CloudFront, Alibaba and Tencent,
OpenTelemetry's attribute registry, the field lists of payment processors, national identity numbers by country.
"""

from collections.abc import Callable
from typing import NamedTuple

from privacy import marks, shapes


def words_of(text: str) -> frozenset[str]:
    """Words apart by spaces."""
    return frozenset(text.split())


class Entry(NamedTuple):
    """What a group of names says about a value."""

    mark: str
    shape: Callable[[str], bool]
    """What the value must look like for the name to count."""
    strong: bool
    """Whether the name counts in prose as well: `SSN: …`, `password: …`."""


def _entry(mark: str, shape: Callable[[str], bool], names: str, *, strong: bool = False) -> tuple[Entry, str]:
    return Entry(mark, shape, strong), names


NAMES = (
    _entry(
        marks.PASSWORD,
        shapes.given,
        "password passwd passphrase passcode passwords pswd psw passwort kennwort contrasena senha motdepasse "
        "mot+de+passe wachtwoord haslo heslo losenord sifre kodeord adgangskode passord salasana parola "
        "parole+utente pgpassword sshpass mnemonic seed+phrase recovery+phrase master+key decryption+key "
        "security+answer secret+answer question+answer wifi+key psk pre+shared+key",
        strong=True,
    ),
    _entry(marks.PASSWORD, shapes.no_path, "pwd userpwd", strong=True),
    _entry(marks.PASSWORD, shapes.short_password, "pass pw", strong=True),
    _entry(
        marks.PASSWORD, shapes.pin, "pin pin+code pincode card+pin user+pin otp otp+code mfa+code sms+code", strong=True
    ),
    _entry(
        marks.TOKEN,
        shapes.secret,
        "token tok secret+key+base accesskey secretkey privatekey secret credential credentials jwt bearer totp csrf "
        "xsrf csrftoken xsrftoken signature authorization apikey assertion api+key access+key private+key "
        "secret+key auth+key authkey signing+key encryption+key client+secret subscription+key account+key app+key "
        "application+key service+key shared+key consumer+key consumer+secret auth+code authorization+code "
        "code+verifier code+challenge id+token id+token+hint saml+response saml+request samlresponse samlrequest "
        "access+tokens refresh+tokens auth+tokens api+keys api+tokens secrets device+code user+code oauth+verifier "
        "id+jwt session+token push+token fcm+token apns+token device+token registration+token verification+code "
        "confirmation+code activation+code security+token reset+code recovery+code recovery+codes recovery+key "
        "license+key licence+key product+key serial+key backup+code backup+codes one+time+code one+time+password "
        "magic+link invite+code invitation+code login+code 2fa two+fa two+fa+code tfa+code mfa+token "
        "two+factor+code otc sas sas+token shared+access+signature ws+secret tx+secret x+api+key reset+key "
        "activation+key confirmation+key key+pair+id google+access+id aws+access+key+id oss+access+key+id q+ak "
        "q+signature secret+access+key oidc+data accesstoken refreshtoken idtoken sessiontoken authtoken "
        "clientsecret connection+string webhook+secret hmac",
        strong=True,
    ),
    _entry(marks.TOKEN, shapes.mixed, "auth sig ticket sso access+code authenticity challenge one+time"),
    _entry(marks.TOKEN, shapes.mixed, "nonce resourcekey"),
    _entry(marks.TOKEN, shapes.drawn, "resource+key"),
    _entry(marks.TOKEN, shapes.long_drawn, "admin+key search+key write+key"),
    _entry(marks.TOKEN, shapes.drawn, "session+state policy+signature viewstate eventvalidation id+hint"),
    _entry(marks.COOKIE, shapes.given, "cookie cookies set+cookie", strong=True),
    _entry(
        marks.CARD,
        shapes.check_digits,
        "cvc cvv cvv2 cvc2 csc cvn security+code card+code card+verification",
        strong=True,
    ),
    _entry(
        marks.CARD,
        shapes.card,
        "card+number ccno cc creditcard credit+card debit+card cc+number ccnum ccnumber card+no cardno cardnumber "
        "card+num account+card pan primary+account+number kartennummer kreditkarte kreditkartennummer numero+carte "
        "numero+tarjeta tarjeta numero+cartao numero+carta payment+card card+pan",
        strong=True,
    ),
    _entry(
        marks.CARD,
        shapes.expiry,
        "card+exp card+expiry card+expiration card+expires card+expiry+date cc+exp card+valid+thru ",
    ),
    _entry(
        marks.NATIONAL_ID,
        shapes.given,
        "ssn document+no doc+number numero+identificacion numero+identidad numero+identite identificacion "
        "visa+number visa+no kimlik+no kimlik+numarasi kimlik+number personal+code personal+id+number "
        "personal+identity+code personal+identity+number rijksregisternummer registre+national "
        "steueridentifikationsnummer identifikationsnummer id+kort driver+licence+number carte+identite "
        "piece+identite ktp cnh emirates+id iqama civil+id ghana+card huduma nss cartao+cidadao cartao+sus "
        "carta+identita documento+identidad doc+identidad dowod+osobisty osebna+izkaznica social+security "
        "social+security+number socialsecuritynumber social+insurance national+id national+insurance "
        "national+identifier nationalid nino aadhaar aadhar pesel hetu cpf cnpj curp bsn personnummer personnr "
        "fodselsnummer fodselsnr codice+fiscale codicefiscale nhs+number nhs+no tax+id taxid tax+number taxpayer+id "
        "itin securite+sociale tax+file+number teudat+zehut insz rijksregister rsa+id south+african+id "
        "burgerservicenummer burgerservice+nummer mynumber cnic henkilotunnus persoonsnummer cedula+identidad "
        "cedula+de+identidad codigo+fiscal numero+fiscal samordningsnummer "
        "steuer+id steuer+nr steuernummer steuerid steueridnr passport passport+no passportnumber pasaporte "
        "passeport reisepass ausweis ausweisnummer personalausweis id+card identity+card identity+number "
        "identity+document id+number idnumber citizen+id resident+id driver+license drivers+license driver+licence "
        "driving+licence driving+license licence+number license+number license+plate licence+plate fuhrerschein "
        "permis+conduire "
        "sozialversicherungsnummer sv+nummer versichertennummer insurance+number medicare medicare+number medicaid "
        "patient+ssn isikukood rodne+cislo kennitala nric hkid mykad cedula dni+nie numero+documento "
        "document+number vat+id numero+securite+sociale voter+id my+number medical+record+number mrn",
        strong=True,
    ),
    _entry(
        marks.NATIONAL_ID,
        shapes.identifier,
        "dni dl+number dl+no insurance+no insurance+nr policy+no kennzeichen matricula plate+number plate+no "
        "number+plate registration+plate pan nid nik svn rg pan+number pan+card nie nir nif sin tin rut egn oib cnp "
        "rrn ein cpr jmbg amka afm pps ppsn tckn cuit cuil cui bvn nin tfn ahv avs svnr rvnr insee emso niss",
        strong=True,
    ),
    _entry(
        marks.IBAN,
        shapes.number_of_account,
        "iban acct+num bank+acct bank+account+number account+iban bank+account sepa+creditor account+number "
        "accountnumber acct+number acct+no account+no kontonummer konto sort+code clabe rib compte "
        "beneficiary+account payee+account numero+cuenta numero+compte",
        strong=True,
    ),
    _entry(
        marks.SESSION,
        shapes.session,
        "session sid sessionid jsessionid phpsessid sess sessid aspsessionid cfid cftoken connect+sid "
        "net+session+id sessionkey hsid apisid sapisid papisid psid sidcc psidcc psidts laravel+session s+id sessions",
    ),
    _entry(marks.SESSION, shapes.any_id, "sesskey session+id session+uuid session+key session+previous "),
    _entry(
        marks.DEVICE,
        shapes.any_id,
        "installation+id install+id installationid installid app+instance+id host+id boot+id browser+id "
        "ga+client+id mparticle+id mpid amplitude+id appsflyer+id device+id deviceid device+uuid device+guid "
        "device+identifier deviceuuid",
    ),
    _entry(
        marks.EMAIL,
        shapes.persons,
        "email mail mail+from rcpt+to mail+to ud+em e+mail emails emailaddress mailaddress recipient+email correo "
        "courriel correo+electronico adresse+mail adresse+email posta+elettronica epost e+post mailto reply+to "
        "cc+email bcc+email user+principal+name upn email+addresses",
    ),
    _entry(
        marks.PHONE,
        shapes.phone,
        "phone telephone mob mob+no mobilephone homephone workphone telnr tel+nr phone+e164 cell handset phonenum "
        "phone+num nr+telefonu numer+telefonu telefoon ud+ph tel mobile msisdn fax cell+phone phones telefon "
        "telefono telefone telefoonnummer telefonnummer telefon+nr rufnummer handy handynummer handy+nr mobilnummer "
        "mobil mobiel celular cellulare numero+telephone numero+tel numtel gsm whatsapp phonenumber mobilenumber "
        "mobileno contact+number contact+no caller+id phone+numbers puhelin telefonszam landline portable calling+line "
        "caller+line msisdn+from msisdn+to msisdn+a msisdn+b",
    ),
    _entry(
        marks.PHONE,
        shapes.dialled,
        "caller callee caller+number calling+number called+number from+number to+number dialed+number dialled+number "
        "destination+number source+number originating+number incoming+number outgoing+number",
    ),
    _entry(
        marks.NAME,
        shapes.personal_name,
        "firstname lastname birth+name f+name l+name ship+to+name bill+to+name policy+holder policyholder "
        "payee+name guardian+name signatory+name name+of+holder ud+fn ud+ln fullname surname nickname first+name "
        "last+name full+name given+name givenname family+name familyname middle+name middlename maiden+name "
        "nick+name nick forename fname lname legal+name legalname preferred+name real+name realname name+first "
        "name+last name+given name+family name+middle customer+name recipient+name contact+name enduser+name "
        "person+name people+name holder+name cardholder+name billing+name shipping+name sender+name receiver+name "
        "patient+name guest+name passenger+name employee+name member+name owner+name student+name teacher+name "
        "driver+name rider+name subscriber+name payer+name payee+name buyer+name seller+name beneficiary+name "
        "beneficiary author+name attendee+name signer+name applicant+name child+name parent+name mother+name "
        "father+name spouse+name emergency+contact recipient cardholder account+holder kontoinhaber name+on+card "
        "card+name card+holder vorname nachname familienname geburtsname prenom nom+de+famille nom+famille "
        "nom+complet apellido apellidos primer+apellido apellido+paterno apellido+materno segundo+apellido "
        "nombre+completo sobrenome nome+completo cognome voornaam achternaam naam imie nazwisko jmeno prijmeni "
        "fornavn etternavn efternavn efternamn fornamn etunimi sukunimi soyad soyadi patient passenger patronymic "
        "last+names first+names player+name contact+person",
    ),
    _entry(marks.NAME, shapes.shown_name, "display+name displayname anzeigename user+display+name"),
    _entry(
        marks.USER,
        shapes.persons_id,
        "user oidc+identity kundennr member+no employee+number employee+no staff+id student+id user+ref facebook+id "
        "fb+id google+id twitter+handle twitter+id instagram+handle telegram+id apple+id household+id linkedin+id "
        "github+login user+no user+screen+name twitter+screen+name "
        "username login enduser user+name "
        "login+name member+id customer+id account+id userid "
        "user+ids usr user+login loginid login+id login+hint profile+id subscriber+id employee+id patient+id "
        "contact+id person+id client+number customer+number customer+no member+number player+id buyer+id seller+id "
        "owner+id author+id actor+id distinct+id visitor+id anonymous+id user+uuid user+guid user+hash user+handle "
        "kundennummer kunden+nr kunden+id benutzer benutzername utilisateur usuario utente gebruiker gebruikersnaam "
        "brukernavn identifiant nom+utilisateur remote+user logname samaccountname principal+name guest+id "
        "process+owner customer+ref nutzer nutzername uidnumber impersonator",
    ),
    _entry(
        marks.ADDRESS,
        shapes.persons,
        "street billing+line shipping+line delivery+line house+no house+nr ship+to+address bill+to+address "
        "street+address street+name street1 street2 home+address billing+address shipping+address mailing+address "
        "postal+address delivery+address address+line addressline address+1 address+2 addr+1 addr+2 addr+line "
        "residential+address residence work+address user+address customer+address full+address formatted+address "
        "strasse strassenname hausnummer anschrift wohnort rue calle direccion endereco indirizzo adresse adres "
        "adresa straat numero+casa domicilio domicile house+number address+city address+street address+state "
        "address+town billing+city shipping+city address+house apartment apt+number address+number street+number "
        "address+full direccion+envio direccion+de+envio direccion+facturacion direccion+de+facturacion lieferadresse "
        "rechnungsadresse postadresse lieferanschrift rechnungsanschrift adresse+livraison adresse+de+livraison "
        "adresse+facturation adresse+de+facturation indirizzo+spedizione indirizzo+di+spedizione "
        "indirizzo+fatturazione endereco+entrega endereco+de+entrega bezorgadres afleveradres factuuradres "
        "leveringsadresse leveransadress",
    ),
    _entry(
        marks.ADDRESS,
        shapes.postcode,
        "zip+plus zip+4 postal+code ud+zp postcode post+code zip zip+code zipcode postalcode plz postleitzahl "
        "code+postal codigo+postal cep postnummer address+zip address+postal",
    ),
    _entry(
        marks.GEO,
        shapes.coordinate,
        "lat latitude+e7 longitude+e7 latitude lon lng longitude geo+lat geo+lon breitengrad laengengrad "
        "langengrad latitud longitud",
    ),
    _entry(
        marks.GEO,
        shapes.fine_coordinate,
        "geo lat+long lat+lng lat+lon geo+location geo+coordinates geo+coords gps+coordinates geo+position geopoint "
        "geo+point gps gps+location gps+position coordinates coordinate coords coord latlng latlong latlon lnglat "
        "lonlat geolocation user+location home+location current+location last+location map+center map+centre",
    ),
    _entry(
        marks.DATE,
        shapes.date,
        "dob dob+year dob+day dob+date birthday+date birthday ud+db birthdate date+of+birth birth+date birth+day "
        "birth+year year+of+birth yob dateofbirth bday geburtsdatum geburtstag geburtsjahr geb+datum "
        "fecha+nacimiento fecha+de+nacimiento date+naissance date+de+naissance data+nascita data+di+nascita "
        "data+nascimento data+de+nascimento geboortedatum fodselsdato fodselsdag data+urodzenia syntymaaika "
        "naissance nacimiento nascimento nascita",
    ),
    _entry(
        marks.DEVICE,
        shapes.device,
        "idfa imei+sv wifi+bssid ssid+name bssid+name sn advertising+identifier gaid adid aaid oaid idfv ifa rdid "
        "maid waid lgudid udid imei imeisv meid esn imsi iccid advertising+id advertisingid advertiser+id ad+id "
        "google+ad+id google+aid gps+adid appset+id app+set+id android+ad+id ios+ifa identifier+for+vendor "
        "identifier+for+advertising android+id androidid ssaid vendor+id hardware+id hardware+uuid machine+id "
        "machine+uuid device+fingerprint "
        "browser+fingerprint visitor+fingerprint client+fingerprint device+serial serial serial+number serialnumber "
        "serialno serial+no mac mac+address macaddress mac+addr wifi+mac bluetooth+mac bluetooth+address bt+address "
        "hw+address hwaddr ethernet+address bssid ssid wifi+ssid wifi+name network+ssid installation+id install+id "
        "installationid installid client+uuid registration+id vin phone+id",
    ),
    _entry(
        marks.DEVICE,
        shapes.owned_device,
        "device+name host+name hostname computer+name machine+name node+name bluetooth+name peripheral+name "
        "devicename computername airdrop+name local+name local+host host+device nodename",
    ),
    _entry(
        marks.IP,
        shapes.address_of_host,
        "ip ipv4 ipv6 ip+address ipaddress ip+addr ipaddr client+ip clientip remote+addr remote+address remote+ip "
        "x+forwarded+for forwarded+for real+ip connecting+ip user+ip source+ip srcip dstip src+ip dst+ip host+ip "
        "peer+ip local+ip public+ip external+ip client+address source+address peer+address peer+addr source+addr "
        "client+addr sender+ip origin+ip login+ip last+ip registration+ip ips ip+addresses true+client+ip server+ip",
    ),
    _entry(
        marks.PASSWORD,
        shapes.given,
        "пароль парола лозинка 密码 密碼 口令 パスワード 暗証番号 비밀번호 암호 "
        "รหัสผ่าน كلمة+المرور סיסמה κωδικός गुप्तशब्द",
        strong=True,
    ),
    _entry(marks.GEO, shapes.coordinate, "längengrad"),
    _entry(
        marks.TOKEN, shapes.given, "токен 令牌 トークン 토큰 验证码 驗證碼 認証コード 確認コード 인증번호", strong=True
    ),
    _entry(
        marks.NAME,
        shapes.personal_name,
        "имя фамилия отчество фио 姓名 名字 氏名 お名前 名前 이름 성명 όνομα επώνυμο الاسم שם+מלא",
    ),
    _entry(marks.USER, shapes.persons_id, "логин пользователь 用户名 用戶名 ユーザー名 사용자명 아이디"),
    _entry(
        marks.PHONE,
        shapes.phone,
        "телефон 电话 電話 电话号码 手机 手机号 手機 手機號碼 "
        "電話番号 携帯番号 携帯電話 전화번호 휴대폰 휴대전화 τηλέφωνο هاتف טלפון",
    ),
    _entry(marks.EMAIL, shapes.persons, "почта 邮箱 郵箱 电子邮件 電子郵件 メール メールアドレス 이메일"),
    _entry(marks.ADDRESS, shapes.persons, "адрес улица 地址 住址 住所 주소 διεύθυνση"),
    _entry(marks.DATE, shapes.date, "дата+рождения 出生日期 生年月日 생년월일"),
    _entry(
        marks.NATIONAL_ID,
        shapes.identifier,
        "паспорт снилс инн егн 身份证 身份证号 身份证号码 身分證 マイナンバー 個人番号 주민등록번호 주민번호 αφμ αμκα",
        strong=True,
    ),
    _entry(marks.CARD, shapes.card, "карта 卡号 卡號 银行卡号 カード番号 카드번호", strong=True),
    _entry(
        marks.PASSWORD,
        shapes.given,
        "contraseña şifre hasło lösenord heslo+účtu κωδικός+πρόσβασης mật+khẩu паролем",
        strong=True,
    ),
    _entry(
        marks.PHONE,
        shapes.phone,
        "téléphone teléfono móvil número+de+teléfono numéro+de+téléphone telefónszám telefonní+číslo số+điện+thoại "
        "puhelin",
    ),
    _entry(
        marks.NATIONAL_ID,
        shapes.given,
        "numéro+de+sécurité+sociale numéro+fiscal numéro+identité pièce+identité kimlik+numarası tc+kimlik "
        "rodné+číslo número+de+identificación identificación número+de+documento cédula fødselsnummer führerschein "
        "führerscheinnummer permis+de+conduire cartão+cidadão número+de+contribuinte asmens+kodas személyi+szám",
        strong=True,
    ),
    _entry(
        marks.NAME,
        shapes.personal_name,
        "prénom förnamn příjmení imię nom+complet nombre+completo apellidos titulaire nachname+vorname",
    ),
    _entry(marks.ADDRESS, shapes.persons, "straße dirección endereço calle+y+número"),
    _entry(marks.CARD, shapes.card, "numéro+de+carte número+de+tarjeta número+do+cartão", strong=True),
    _entry(marks.DATE, shapes.date, "date+de+naissance fecha+de+nacimiento doğum+tarihi"),
    _entry(
        marks.USER, shapes.persons_id, "identifiant+utilisateur número+de+cliente numéro+client kullanıcı+adı kullanıcı"
    ),
)
"""Names, longest phrase at the end of a field's name first."""

WHOLE = (
    _entry(
        marks.TOKEN,
        shapes.drawn,
        "code state relaystate relay+state sign invite reset confirm verify refresh verification activation magic "
        "unsubscribe policy cnonce response st tk hdnts hdnea key+code authcode ott sso+code x+state oauth+state "
        "oauth+code auth+state share+code",
    ),
    _entry(marks.TOKEN, shapes.pin, "verification verify activation confirm confirmation otc smscode"),
    _entry(marks.TOKEN, shapes.long_hex, "s"),
    _entry(marks.DATE, shapes.day, "born geb geboren"),
    _entry(marks.TOKEN, shapes.long_drawn, "key k appid app+id appkey"),
    _entry(marks.DEVICE, shapes.drawn, "fingerprint fp"),
    _entry(marks.USER, shapes.no_system_id, "uid euid suid"),
    _entry(marks.USER, shapes.mixed, "sub subject+id actor principal"),
    _entry(marks.NAME, shapes.capitalised, "payee payer nom nome nombre pn fn ln imya familiya"),
    _entry(
        marks.NAME,
        shapes.full_name,
        "name label cn payee payer first last signatory guardian sender receiver owner contact assignee reporter "
        "customer client guest signer attendee employee member traveller traveler shopper holder person to from "
        "attn assigned+to created+by updated+by approved+by signed+by reviewer participant participants driver "
        "rider tenant student teacher doctor kunde empfanger absender destinataire destinatario remitente cliente",
    ),
    _entry(marks.PHONE, shapes.phone, "ph hp"),
    _entry(
        marks.ADDRESS,
        shapes.postal_address,
        "address addr location destination pickup dropoff origin ship+to bill+to venue",
    ),
    _entry(
        marks.GEO,
        shapes.fine_pair,
        "ll sll location center centre position pos origin destination saddr daddr near point pt bbox loc from to "
        "via waypoints viewpoint q query cbll markers place pickup dropoff",
    ),
)
"""Everyday words that tell only as the whole name, and only of a value that looks as it should."""

ENDINGS = words_of(
    "password passwd passwort token secret apikey signature sessionid sessid email emailaddress username "
    "phonenumber cardnumber firstname lastname fullname displayname nickname socialsecuritynumber telefonnummer "
    "userid ipaddress macaddress deviceid creditcard accesskey secretkey privatekey postalcode zipcode birthdate "
    "cookie latitude longitude"
)
"""Endings of names written as one word in one case, such as `useremail`."""

SAFE = words_of(
    "public+key+token cloud+account+id aws+account+id i+phone db+user database+user process+user cpu+user "
    "group+user token+address system+user"
)
"""Names that would tell by their last words, and do not."""
