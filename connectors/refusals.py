"""What an object storage means by refusing, in words that help: by its codes, and boto3's errors.

Codes: Amazon's "Error responses" of the S3 API, and those of servers like it (MinIO, Aliyun OSS,
Tencent COS, VersityGW). Pure.
"""

from __future__ import annotations

import re
from typing import Final

Words = tuple[str, str]

#: By what a code (or the name of boto3's error) matches in whole; the first counts.
_WORDS: Final[tuple[tuple[str, Words], ...]] = (
    (
        r".*(Quota|Full|Insufficient).*",
        (
            "The object storage takes no more ({kind}): make room in the bucket or raise its quota, "
            "then run it again. Nothing is lost, and nothing will be doubled.",
            "对象存储空间或配额已用尽（{kind}）：请清理存储桶或提高配额后重新运行。数据没有丢失，也不会重复。",
        ),
    ),
    (
        r"SecondLevelDomainForbidden|PathStyle\w*|VirtualHostDomainRequired",
        (
            "This object storage wants the bucket's name in the host name ({kind}): set "
            "`addressing_style = virtual` under `s3 =` for the profile in ~/.aws/config "
            "(docs/operator.md, “A lake in a bucket”), with AWS_ENDPOINT_URL without the bucket.",
            "该对象存储要求把存储桶名写在主机名中（{kind}）：请在 ~/.aws/config 中该 profile 的 `s3 =` 下设置 "
            "`addressing_style = virtual`（见 docs/operator.zh-CN.md“数据湖在存储桶中”），"
            "AWS_ENDPOINT_URL 中不要写存储桶名。",
        ),
    ),
    (
        r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture",
        (
            "The clock of this machine and that of the object storage differ by too much ({kind}): "
            "set this machine's clock (NTP), or that of the server.",
            "本机与对象存储的时钟相差过大（{kind}）：请校准本机（NTP）或服务器的时钟。",
        ),
    ),
    (
        r"Expired\w*|TokenRefreshRequired|InvalidToken|.*TokenRetrieval\w*|UnauthorizedSSOTokenError",
        (
            "The credentials for the object storage have expired ({kind}): renew them "
            "(AWS_SESSION_TOKEN and the AWS_ keys with it, or log in again).",
            "对象存储的临时凭证已过期（{kind}）：请更新 AWS_SESSION_TOKEN 及对应的 AWS_ 密钥，或重新登录。",
        ),
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|UserNotFound|InvalidSecurity|NotSignedUp"
        r"|InvalidClientTokenId",
        (
            "The object storage does not know these keys ({kind}): check AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and that AWS_ENDPOINT_URL is the server they are "
            "of.",
            "对象存储不认可该密钥（{kind}）：请检查 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY 或 AWS_PROFILE，"
            "以及 AWS_ENDPOINT_URL 是否为对应的服务。",
        ),
    ),
    (
        r"AccessDenied\w*|AllAccessDisabled|AccountProblem|Forbidden|403|Unauthorized\w*|401",
        (
            "The object storage does not let these keys do it ({kind}): they need ListBucket, "
            "GetObject, PutObject and DeleteObject on the bucket of the setting; see AWS_PROFILE or "
            "AWS_ACCESS_KEY_ID for whose they are.",
            "对象存储拒绝了该操作（{kind}）：密钥须对所设存储桶具有 ListBucket、GetObject、PutObject 和 "
            "DeleteObject 权限；请核对 AWS_PROFILE 或 AWS_ACCESS_KEY_ID 属于哪个用户。",
        ),
    ),
    (
        r"NoSuchBucket|InvalidBucketName|404|NotFound",
        (
            "The object storage has no such bucket ({kind}): make it first, or correct its name in "
            "MIANTI_LAKE, MIANTI_ZONE or MIANTI_EVIDENCE; check that AWS_ENDPOINT_URL is the right "
            "server, without the bucket's name.",
            "对象存储中没有该存储桶（{kind}）：请先创建，或更正 MIANTI_LAKE、MIANTI_ZONE、MIANTI_EVIDENCE 中的名称，"
            "并检查 AWS_ENDPOINT_URL 是否正确（不含存储桶名）。",
        ),
    ),
    (
        r"InvalidObjectState",
        (
            "Objects of the lake were moved to cold storage and cannot be read ({kind}): restore "
            "them, and take the lake out of that lifecycle rule. A lake stays in the standard class.",
            "数据湖的对象已被转入归档存储，无法读取（{kind}）：请先恢复（解冻）这些对象，并把数据湖从该生命周期规则中排除。"
            "数据湖须保持标准存储类型。",
        ),
    ),
    (
        r"PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|Illegal\w*Location\w*"
        r"|301|307",
        (
            "The bucket lies in another region ({kind}): set AWS_REGION, and AWS_ENDPOINT_URL if it "
            "names one, to the bucket's.",
            "存储桶位于其他区域（{kind}）：请将 AWS_REGION（以及写有区域的 AWS_ENDPOINT_URL）设为该存储桶所在区域。",
        ),
    ),
    (
        r"NotImplemented|MethodNotAllowed|501|405",
        (
            "The object storage cannot do what a lake needs ({kind}): use a server that can (AWS S3, "
            "VersityGW 1.8, SeaweedFS of 2026-05 or later), or a directory; AWS_ENDPOINT_URL says "
            "which is asked.",
            "该对象存储不支持数据湖所需的操作（{kind}）：请改用支持的服务（AWS S3、VersityGW 1.8、"
            "2026-05 及以后的 SeaweedFS）或本地目录；所用服务见 AWS_ENDPOINT_URL。",
        ),
    ),
    (
        r"SlowDown|ServiceUnavailable|Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|BandwidthLimit"
        r"\w*|InternalError|OperationAborted|500|502|503|504|429",
        (
            "The object storage is too busy or has a fault of its own ({kind}): run it again later; "
            "if it stays so, look at the server of AWS_ENDPOINT_URL. Nothing is lost, and nothing "
            "will be doubled.",
            "对象存储繁忙或自身出现故障（{kind}）：请稍后重新运行；如持续出现，请检查 AWS_ENDPOINT_URL 所指的服务。"
            "数据没有丢失，也不会重复。",
        ),
    ),
    (
        r"SSLError",
        (
            "The certificate of the object storage is not trusted ({kind}): set AWS_CA_BUNDLE and "
            "SSL_CERT_FILE, both, to the file of its authority, and check the name in "
            "AWS_ENDPOINT_URL.",
            "对象存储的证书不受信任（{kind}）：请将 AWS_CA_BUNDLE 和 SSL_CERT_FILE 都设为其签发机构的证书文件，"
            "并检查 AWS_ENDPOINT_URL 中的主机名。",
        ),
    ),
    (
        r"NoCredentialsError|PartialCredentialsError|CredentialRetrievalError|ProfileNotFound"
        r"|ConfigParseError|ConfigNotFound",
        (
            "There are no keys for the object storage ({kind}): set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile that exists.",
            "没有对象存储的密钥（{kind}）：请设置 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY，"
            "或将 AWS_PROFILE 设为已有的 profile。",
        ),
    ),
    (
        r"BadAddress",
        (
            "AWS_ENDPOINT_URL is no address of a server: it must begin with http:// or https:// and "
            "name a host (http://127.0.0.1:9000), without the bucket.",
            "AWS_ENDPOINT_URL 不是有效的服务地址：必须以 http:// 或 https:// 开头并写明主机"
            "（如 http://127.0.0.1:9000），不含存储桶名。",
        ),
    ),
)
_OTHERWISE: Final[Words] = (
    "The object storage does not answer as it should ({kind}): check AWS_ENDPOINT_URL, the bucket, "
    "and the AWS_ settings of who may use it.",
    "对象存储未能正常响应（{kind}）：请检查 AWS_ENDPOINT_URL、存储桶以及 AWS_ 访问凭证设置。",
)


def meaning(kind: str) -> Words:
    """Return what a code, or the name of an error of boto3's, means and asks for; it names no key."""
    found = (words for pattern, words in _WORDS if re.fullmatch(pattern, kind))
    english, chinese = next(found, _OTHERWISE)
    return english.format(kind=kind), chinese.format(kind=kind)
