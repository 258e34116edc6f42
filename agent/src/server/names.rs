//! One robot's routes under the names that a client of many robots uses: `/api/robots/{its id}/...`.

use axum::Router;
use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;
use tower::ServiceBuilder;

use crate::belongs::RobotName;

/// `routes`, which answer under `/api/robots/{its name now}/` what they answer under `/api/robot/`.
pub(super) fn answers_to(name: RobotName, routes: Router) -> Router {
    let rename = move |mut request: Request| {
        if let Some(uri) = renamed(request.uri(), &name.now()) {
            *request.uri_mut() = uri;
        }
        request
    };
    Router::new().fallback_service(ServiceBuilder::new().map_request(rename).service(routes))
}

fn renamed(uri: &Uri, name: &str) -> Option<Uri> {
    let rest = uri.path().strip_prefix("/api/robots/")?.strip_prefix(name)?.strip_prefix('/')?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("/api/robot/{rest}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_name_is_another_name() {
        // Another robot's path stays, and finds no route.
        let check = |path: &str, expected: Option<&str>| {
            let renamed = renamed(&path.parse().unwrap(), "robbie");
            assert_eq!(renamed.map(|uri| uri.to_string()).as_deref(), expected, "{path}");
        };
        check("/api/robots/robbie/state", Some("/api/robot/state"));
        check("/api/robots/robbie/stream?hz=5", Some("/api/robot/stream?hz=5"));
        check("/api/robots/rob/state", None);
        check("/api/robots/robbie", None);
        check("/api/robot/state", None);
    }
}
